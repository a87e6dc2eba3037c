import { HiggsError, isHiggsError } from "@higgs-worker/errors";
import { refuseControlStrings, withoutSpeakerTags } from "@higgs-worker/higgs-audio";
import * as v from "valibot";
import { suggestion } from "../names/nearest-name.ts";
import { keyProblem } from "../storage/object-key.ts";
import { inputEntries, kindOf, MAX_SCENE_CHARS, shown } from "./input-fields.ts";

export interface InputLimits {
  readonly maxTranscriptChars: number;
  readonly contextLength: number;
}

/** The job input of spec contract §3, complete, with every default filled in. */
export type JobInput = v.InferOutput<v.ObjectSchema<ReturnType<typeof inputEntries>, undefined>>;

/** More problems than this are only counted. */
const MAX_LISTED_PROBLEMS = 20;

/**
 * Reads a job's `input`. A field that is `null` counts as left out.
 *
 * @throws HiggsError INVALID_INPUT that lists every problem, unknown fields with the nearest known name; never the text itself.
 */
export function parseJobInput(raw: unknown, limits: InputLimits): JobInput {
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) {
    throw invalidInput([`input must be an object (got ${kindOf(raw)})`]);
  }
  const entries = inputEntries(limits);
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== null));
  const unknown = Object.keys(raw)
    .filter((name) => !Object.hasOwn(entries, name))
    .map((name) => `unknown field ${shown(name)}${suggestion(name, Object.keys(entries))}`);
  const result = v.safeParse(v.object(entries), given);
  const issues = (result.issues ?? []).map((issue) => describeIssue(issue, given));
  const problems = [...unknown, ...new Set([...issues, ...textProblems(given, limits)])];
  if (problems.length > 0 || !result.success) throw invalidInput(problems);
  return result.output;
}

function describeIssue(issue: v.BaseIssue<unknown>, given: Readonly<Record<string, unknown>>): string {
  const path = v.getDotPath(issue) ?? "input";
  return path === "transcript" && given["transcript"] === undefined
    ? "transcript is required"
    : `${path} ${issue.message}`;
}

/** What types cannot say of the texts. */
function textProblems(given: Readonly<Record<string, unknown>>, limits: InputLimits): string[] {
  const { transcript, scene_prompt: scene, s3_key: key } = given;
  const problems: (string | null)[] = [];
  if (typeof transcript === "string") {
    problems.push(
      nothingToSpeakProblem(transcript) ?? lengthProblem("transcript", transcript, limits.maxTranscriptChars),
    );
    problems.push(controlProblem("transcript", transcript));
  }
  if (typeof scene === "string") {
    problems.push(lengthProblem("scene_prompt", scene, MAX_SCENE_CHARS), controlProblem("scene_prompt", scene));
  }
  const inKey = typeof key === "string" ? keyProblem(key) : null;
  problems.push(inKey === null ? null : `s3_key ${inKey}`);
  return problems.filter((problem) => problem !== null);
}

/** Of speaker tags and signs alone, the model would make noise. */
function nothingToSpeakProblem(transcript: string): string | null {
  if (transcript.trim() === "") return "transcript is empty";
  return /[\p{L}\p{N}]/u.test(withoutSpeakerTags(transcript))
    ? null
    : "transcript has nothing to speak (no letter or digit beside speaker tags)";
}

function lengthProblem(field: string, text: string, limit: number): string | null {
  if (text.length <= limit) return null;
  const characters = Array.from(text).length;
  return characters <= limit ? null : `${field} is too long (got ${characters} characters, limit ${limit})`;
}

/** Control strings and lone surrogates. */
function controlProblem(field: string, text: string): string | null {
  try {
    refuseControlStrings(text, { field });
    return null;
  } catch (error) {
    if (isHiggsError(error)) return error.message.replace(/^Cannot use /, "");
    throw error;
  }
}

function invalidInput(problems: readonly string[]): HiggsError {
  const listed = problems.slice(0, MAX_LISTED_PROBLEMS).join("; ");
  const more = problems.length > MAX_LISTED_PROBLEMS ? `; and ${problems.length - MAX_LISTED_PROBLEMS} more` : "";
  return new HiggsError("INVALID_INPUT", `Cannot read the job input: ${listed}${more}`, { problems });
}
