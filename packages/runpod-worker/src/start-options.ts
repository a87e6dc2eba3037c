import type { Handler } from "./jobs/handler.ts";
import type { StandardSchema } from "./jobs/standard-schema.ts";
import type { LocalResult } from "./local/local-run.ts";
import type { ProcessSurface } from "./process-surface.ts";

/** What `start` needs to know; only the handler is required. */
export interface StartOptions<Input = unknown, Output = unknown> {
  readonly handler: Handler<Input, Output>;
  /** Checks and converts each job's input before the handler sees it; any Standard Schema validator. */
  readonly inputSchema?: StandardSchema<Input> | undefined;
  /** True = the final result of a streamed job holds all its chunks. Default false. */
  readonly returnAggregateStream?: boolean | undefined;
  /** Called once with the result of a local run (`--test_input`), beside the log lines. */
  readonly onLocalResult?: ((result: LocalResult) => void) | undefined;
  /** Arguments, environment, output and exit of the process. Default: the real ones. */
  readonly surface?: ProcessSurface | undefined;
}
