import { ERRORS, type ErrorDefinition } from "@higgs-worker/base";

/** docs/ERRORS.md, complete. */
export function errorsMarkdown(): string {
  const rows = Object.entries<ErrorDefinition>(ERRORS).map(
    ([code, { httpStatus, isRetryable, meaning, fix }]) =>
      `| \`${code}\` | ${httpStatus} | ${isRetryable ? "yes" : "no"} | ${meaning} | ${fix} |`,
  );
  return [
    "<!-- Generated from packages/base/src/errors/registry.ts by `npm run docs:generate`; do not edit. -->",
    "# Errors",
    "",
    "A failed job has `error` = `CODE: Cannot <do>: <why> (got …, limit …)`. Match on the code, which never changes its",
    "meaning; the text after it may be reworded. The HTTP status is what the local API answers; *again* says whether the",
    "same request can succeed later without a change.",
    "",
    "| Code | HTTP | Again | What happened | What to do |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
