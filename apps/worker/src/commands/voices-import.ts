import { HiggsError } from "@higgs-worker/base";
import type { SettingFlags } from "../config/load.ts";
import { importUpstream, UPSTREAM_WARNING } from "../references/import-upstream.ts";
import { UPSTREAM_BASE_URL, type UpstreamVoice } from "../references/upstream-voices.ts";
import { openVoiceLibrary, voicesDirOf } from "../references/voices.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";
import { openCommandContext } from "./command-context.ts";

export interface VoicesImportArgs {
  /** The user has read the warning. */
  readonly isAccepted: boolean;
  /** Where the files are; null for the public repository. */
  readonly baseUrl: string | null;
  readonly isJson: boolean;
  readonly settings: SettingFlags;
}

/**
 * `higgs voices import-upstream`: the clips of the reference implementation.
 *
 * @throws {HiggsError} INVALID_INPUT without `--accept`
 */
export async function runVoicesImport(
  args: VoicesImportArgs,
  io: CommandIo,
  options: { readonly voices?: readonly UpstreamVoice[] } = {},
): Promise<number> {
  const { config } = await openCommandContext(io, args.settings);
  await io.stderr.write(UPSTREAM_WARNING);
  if (!args.isAccepted) {
    throw new HiggsError("INVALID_INPUT", "import the voices", "read the warning above and add --accept");
  }
  const voices = await importUpstream({
    ...options,
    library: openVoiceLibrary(config),
    voicesDir: voicesDirOf(config),
    baseUrl: args.baseUrl ?? UPSTREAM_BASE_URL,
    download: { proxies: config },
    signal: io.signal,
    onVoice: (name, outcome) => void io.stderr.write(`${name}: ${outcome}\n`),
  });
  if (args.isJson) await printJson(io, { voices });
  return EXIT_OK;
}
