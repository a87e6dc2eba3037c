import type { SpeechRequestBody } from "./speech-request.ts";

/** What the server says about itself to anyone. */
export interface ServerFacts {
  readonly model: string;
  readonly needsKey: boolean;
  readonly scenes: readonly string[];
  readonly formats: readonly string[];
  /** Shown when the demo model speaks. */
  readonly note: string | null;
}

export interface ListedVoice {
  readonly id: string;
  readonly name: string;
  /** What it sounds like. */
  readonly description?: string | null;
  /** `alias`: another name for a voice, which programs written for other services send. */
  readonly source?: string;
}

export async function fetchFacts(): Promise<ServerFacts> {
  const response = await fetch("playground/facts.json");
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return (await response.json()) as ServerFacts;
}

/** The voices of the library; where there is none, the names that stand for others. */
export async function fetchVoices(): Promise<readonly ListedVoice[]> {
  const response = await fetch("v1/audio/voices");
  if (!response.ok) return [];
  const { voices } = (await response.json()) as { voices?: readonly ListedVoice[] };
  const all = voices ?? [];
  const own = all.filter(({ source }) => source !== "alias");
  return own.length > 0 ? own : all;
}

/**
 * Asks for speech; the answer's body comes in while it is made.
 *
 * @throws {Error} with the server's own words
 */
export async function fetchSpeech(body: SpeechRequestBody, key: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (key !== "") headers["authorization"] = `Bearer ${key}`;
  const response = await fetch("v1/audio/speech", { method: "POST", headers, body: JSON.stringify(body), signal });
  if (response.ok) return response;
  throw new Error(await reasonOf(response));
}

async function reasonOf(response: Response): Promise<string> {
  if (response.status === 401) return "The server wants its key: type it below “Key”.";
  const body: unknown = await response.json().catch(() => null);
  const { error } = (body ?? {}) as { error?: { message?: unknown } };
  return typeof error?.message === "string" ? error.message : `The server answered ${response.status}.`;
}
