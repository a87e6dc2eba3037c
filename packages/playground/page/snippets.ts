import type { SpeechRequestBody } from "./speech-request.ts";

/** The languages that a request is shown in. */
export const SNIPPET_LANGUAGES = ["curl", "TypeScript", "Python"] as const;

export type SnippetLanguage = (typeof SNIPPET_LANGUAGES)[number];

export interface SnippetTarget {
  /** The server's address without a slash at the end. */
  readonly origin: string;
  /** True if the server wants a key; the snippet then reads it from the environment. */
  readonly needsKey: boolean;
}

/** A clip is too long to be shown; the reader puts their own there. */
const CLIP_PLACEHOLDER = "<base64 of the clip>";

/** The same request as a program. The key is never part of it. */
export function snippetOf(language: SnippetLanguage, body: SpeechRequestBody, target: SnippetTarget): string {
  const shown = withoutClip(body);
  if (language === "curl") return curlOf(shown, target);
  return language === "Python" ? pythonOf(shown, target) : typeScriptOf(shown, target);
}

function withoutClip(body: SpeechRequestBody): SpeechRequestBody {
  const clip = body["ref_audio"];
  if (typeof clip !== "object" || clip === null) return body;
  return { ...body, ref_audio: { ...clip, audio_base64: CLIP_PLACEHOLDER } };
}

function fileOf(body: SpeechRequestBody): string {
  return `speech.${body.response_format}`;
}

function curlOf(body: SpeechRequestBody, { origin, needsKey }: SnippetTarget): string {
  const json = JSON.stringify(body, null, 2).replaceAll("'", String.raw`'\''`);
  return [
    `curl ${origin}/v1/audio/speech \\`,
    ...(needsKey ? ['  -H "Authorization: Bearer $HIGGS_API_KEY" \\'] : []),
    `  -H "Content-Type: application/json" \\`,
    `  -d '${json}' \\`,
    `  -o ${fileOf(body)}`,
  ].join("\n");
}

function typeScriptOf(body: SpeechRequestBody, { origin, needsKey }: SnippetTarget): string {
  const key = needsKey ? ", apiKey: process.env.HIGGS_API_KEY" : "";
  return [
    'import { writeFile } from "node:fs/promises";',
    'import { SpeechClient } from "@higgs-worker/client";',
    "",
    `const client = new SpeechClient({ baseUrl: "${origin}"${key} });`,
    `const { bytes } = await client.speak(${JSON.stringify(body, null, 2)});`,
    `await writeFile("${fileOf(body)}", bytes);`,
  ].join("\n");
}

/** Fields that OpenAI's own client knows; all others go into `extra_body`. */
const OPENAI_FIELDS: ReadonlySet<string> = new Set([
  "model",
  "input",
  "voice",
  "response_format",
  "speed",
  "instructions",
]);

function pythonOf(body: SpeechRequestBody, { origin, needsKey }: SnippetTarget): string {
  const own = Object.entries(body).filter(([name]) => OPENAI_FIELDS.has(name));
  const extra = Object.fromEntries(Object.entries(body).filter(([name]) => !OPENAI_FIELDS.has(name)));
  // The client refuses a call without a voice.
  const voice = "voice" in body ? [] : [["voice", "alloy"] as const];
  const args = [...own, ...voice].map(([name, value]) => `    ${name}=${pythonValue(value)},`);
  if (Object.keys(extra).length > 0) args.push(`    extra_body=${pythonValue(extra)},`);
  return [
    ...(needsKey ? ["import os"] : []),
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${origin}/v1", api_key=${needsKey ? 'os.environ["HIGGS_API_KEY"]' : '"unused"'})`,
    "with client.audio.speech.with_streaming_response.create(",
    ...args,
    ") as response:",
    `    response.stream_to_file("${fileOf(body)}")`,
  ].join("\n");
}

/** JSON's strings and numbers are Python's too. */
function pythonValue(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}: ${pythonValue(inner)}`)
      .join(", ")}}`;
  }
  return JSON.stringify(value);
}
