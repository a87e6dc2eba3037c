import { toHiggsError, type HiggsError } from "@higgs-worker/base/errors";
import { EXIT_FAILED, EXIT_USAGE } from "./command-io.ts";

/** What a command prints on stderr when it fails: code, message and what to do; the stack only when asked for. */
export function errorText(error: unknown, options: { readonly withStack: boolean }): string {
  const higgsError = toHiggsError(error);
  const stack = options.withStack ? stacksOf(higgsError) : "";
  return `${higgsError.toString()}\n  ${higgsError.definition.fix}\n${stack}`;
}

/** Invalid arguments or settings are usage errors, anything else is a failure. */
export function exitCodeOf(error: unknown): number {
  return toHiggsError(error).code === "INVALID_INPUT" ? EXIT_USAGE : EXIT_FAILED;
}

function stacksOf(error: HiggsError): string {
  let text = "";
  for (let current: unknown = error; current instanceof Error; current = current.cause)
    text += `${current.stack ?? ""}\n`;
  return text;
}
