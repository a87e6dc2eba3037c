import { connect, type Socket } from "node:net";

const PCM_BYTES_PER_SECOND = 48_000;
const SENTENCES = [
  "The little boy went down to the river.",
  "She gave me a book about the sea.",
  "The sun is warm and the sky is blue.",
] as const;

export interface SpeechFields {
  readonly [name: string]: unknown;
}

export function speechBody(index: number, more: SpeechFields = {}): string {
  const input = SENTENCES[index % SENTENCES.length];
  return JSON.stringify({ model: "tts-1", voice: "alloy", input, seed: index, response_format: "pcm", ...more });
}

export function postSpeech(url: string, body: string, init: RequestInit = {}): Promise<Response> {
  const headers = { "content-type": "application/json", ...(init.headers as Record<string, string> | undefined) };
  return fetch(`${url}/v1/audio/speech`, { ...init, method: "POST", headers, body });
}

export interface HeardSpeech {
  readonly status: number;
  readonly bytes: number;
  /** Of raw samples. */
  readonly seconds: number;
  readonly firstAudioMs: number;
  /** The longest that a player would have waited for the next sound, in milliseconds. */
  readonly greatestUnderrunMs: number;
  /** How it came. */
  readonly parts: readonly HeardPart[];
}

interface HeardPart {
  readonly atMs: number;
  /** Of raw samples. */
  readonly seconds: number;
}

/** Plays a streamed speech as it comes. */
export async function hear(url: string, body: string): Promise<HeardSpeech> {
  const sentMs = performance.now();
  const response = await postSpeech(url, body);
  let firstMs = Number.NaN;
  let bytes = 0;
  const parts: HeardPart[] = [];
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    const nowMs = performance.now();
    if (bytes === 0) firstMs = nowMs;
    bytes += part.length;
    parts.push({ atMs: nowMs, seconds: part.length / PCM_BYTES_PER_SECOND });
  }
  const seconds = bytes / PCM_BYTES_PER_SECOND;
  const greatestUnderrunMs = greatestUnderrun(parts);
  return { status: response.status, bytes, seconds, firstAudioMs: firstMs - sentMs, greatestUnderrunMs, parts };
}

/** The longest that a player would have waited for the next sound, in milliseconds, at `pace` seconds of audio a second. */
export function greatestUnderrun(parts: readonly HeardPart[], pace = 1): number {
  let greatestMs = 0;
  let dryAtMs = parts[0]?.atMs ?? 0;
  for (const { atMs, seconds } of parts) {
    greatestMs = Math.max(greatestMs, atMs - dryAtMs);
    dryAtMs = Math.max(dryAtMs, atMs) + (seconds / pace) * 1000;
  }
  return greatestMs;
}

/** A connection over which nothing is read unless somebody does. */
export function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.once("error", reject);
    socket.pause();
  });
}

/** A request as bytes. */
export function rawPost(
  path: string,
  body: string,
  length = Buffer.byteLength(body),
  type = "application/json",
): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function share(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? Number.NaN;
}
