import { HiggsError } from "@higgs-worker/base";
import { describeUnknownField, kindOf } from "../names/describe-value.ts";
import type { InputLimits } from "./job-field.ts";
import { fileProblems } from "./file-options.ts";
import { spokenProblems } from "./text-problems.ts";
import { JOB_FIELD_ENTRIES, JOB_FIELDS, type JobInput } from "./job-fields.ts";

/** A job from the platform, not checked yet. */
export interface ReceivedJob {
  readonly id: string;
  readonly input: unknown;
  readonly s3Config?: unknown;
}

/** A job whose input is checked and complete; the delivery is checked when it is planned. */
export interface SpeechJob {
  readonly id: string;
  readonly input: JobInput;
  readonly s3Config: unknown;
}

/** Further problems are only counted, which costs nothing. */
const MAX_LISTED_PROBLEMS = 20;

/**
 * The first step of a job; nothing reads the input before.
 *
 * @throws {HiggsError} INVALID_INPUT as `parseJobInput` does
 */
export function parseJob({ id, input, s3Config = null }: ReceivedJob, limits: InputLimits): SpeechJob {
  return { id, input: parseJobInput(input, limits), s3Config };
}

/**
 * Reads a job's `input`. A `null` field counts as missing.
 *
 * @throws {HiggsError} INVALID_INPUT when a field is wrong; lists the problems, never the text itself
 */
export function parseJobInput(raw: unknown, limits: InputLimits): JobInput {
  const problems = new Problems();
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) {
    problems.add(`input must be an object (got ${kindOf(raw)})`);
    throw problems.toError();
  }
  for (const name of Object.keys(raw)) {
    if (Object.hasOwn(JOB_FIELDS, name)) continue;
    problems.add(() => describeUnknownField(name, Object.keys(JOB_FIELDS)));
  }
  const given = raw as Readonly<Record<string, unknown>>;
  const input: Record<string, unknown> = {};
  for (const [name, field] of JOB_FIELD_ENTRIES) {
    const value = Object.hasOwn(given, name) ? (given[name] ?? null) : null;
    if (value !== null) {
      input[name] = field.read(
        value,
        (problem, path = "") =>
          problems.add(() => `${name}${path} ${typeof problem === "string" ? problem : problem()}`),
        limits,
      );
    } else if (field.isRequired) {
      problems.add(`${name} is required`);
    } else {
      input[name] = field.defaultFor(limits);
    }
  }
  if (problems.count > 0) throw problems.toError();
  const complete = input as JobInput;
  for (const problem of [...spokenProblems(complete), ...fileProblems(complete)]) problems.add(problem);
  if (problems.count > 0) throw problems.toError();
  return complete;
}

/** Collects problems; only those that are shown are put into words. */
class Problems {
  readonly #listed: string[] = [];
  count = 0;

  add(problem: string | (() => string)): void {
    this.count++;
    if (this.#listed.length >= MAX_LISTED_PROBLEMS) return;
    this.#listed.push(typeof problem === "string" ? problem : problem());
  }

  toError(): HiggsError {
    const more = this.count - this.#listed.length;
    const list = this.#listed.join("; ") + (more > 0 ? `; and ${more} more` : "");
    return new HiggsError("INVALID_INPUT", "read the job input", list, { problems: this.#listed });
  }
}
