/** The official OpenAI client for Node. */
import { createReadStream } from "node:fs";
import OpenAI from "openai";
import { check, CLIP, CLIP_WORDS, expectAudio, expectThat, KEY, named, SENTENCE, URL_BASE } from "./report.mjs";

const name = named("openai", "openai (npm)");
const client = new OpenAI({ baseURL: `${URL_BASE}/v1`, apiKey: KEY, maxRetries: 0 });
const request = { model: "gpt-4o-mini-tts", voice: "alloy", input: SENTENCE };
const bytesOf = async (response) => new Uint8Array(await response.arrayBuffer());

await check(name, "speech.create", async () =>
  expectAudio(await bytesOf(await client.audio.speech.create(request)), "mp3"),
);
for (const format of ["wav", "flac", "opus", "pcm"]) {
  await check(name, `response_format ${format}`, async () =>
    expectAudio(await bytesOf(await client.audio.speech.create({ ...request, response_format: format })), format),
  );
}
await check(name, "body read as a stream", async () => {
  const response = await client.audio.speech.create({ ...request, response_format: "pcm" });
  const parts = [];
  for await (const part of response.body) parts.push(part);
  expectThat(parts.length > 1, "it came in one piece");
  return `${expectAudio(Buffer.concat(parts), "pcm")} in pieces`;
});
await check(name, "stream_format sse", async () => {
  const response = await client.audio.speech.create({ ...request, stream_format: "sse" });
  const text = await response.text();
  const events = text
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)));
  const audio = events
    .filter(({ type }) => type === "speech.audio.delta")
    .map((event) => Buffer.from(event.audio, "base64"));
  expectThat(events.at(-1).type === "speech.audio.done", events.at(-1).type);
  return `${expectAudio(Buffer.concat(audio), "mp3")}, usage ${events.at(-1).usage.total_tokens}`;
});
await check(name, "instructions, speed, our own fields", async () => {
  const body = { ...request, instructions: "a large hall", speed: 1.25, seed: 7, temperature: 0.3 };
  return expectAudio(await bytesOf(await client.audio.speech.create(body)), "mp3");
});
await check(name, "models.list", async () => (await client.models.list()).data.map(({ id }) => id).join(", "));
await check(name, "voiceConsents, voices, speech with {id}", async () => {
  const form = { name: "Ben Client", language: "en-US", recording: createReadStream(CLIP) };
  const consent = await client.audio.voiceConsents.create(form);
  const voice = await client.audio.voices.create({
    name: "Ben Client",
    audio_sample: createReadStream(CLIP),
    consent: consent.id,
    transcript: CLIP_WORDS,
  });
  try {
    return expectAudio(await bytesOf(await client.audio.speech.create({ ...request, voice: { id: voice.id } })), "mp3");
  } finally {
    await client.delete(`/audio/voices/${voice.id}`);
    await client.audio.voiceConsents.delete(consent.id);
  }
});
await check(name, "the caller aborts", async () => {
  const abort = new AbortController();
  const long = { ...request, input: `${SENTENCE} `.repeat(10), response_format: "pcm" };
  const response = await client.audio.speech.create(long, { signal: abort.signal });
  const reader = response.body.getReader();
  await reader.read();
  abort.abort();
  await reader.read().then(
    () => expectThat(false, "the body went on"),
    (error) => expectThat(error.name === "AbortError", String(error)),
  );
  return "ended";
});
const refused = async (kind, run) => {
  const error = await run().then(
    () => null,
    (reason) => reason,
  );
  expectThat(error instanceof kind, `got ${String(error)}`);
  expectThat(error.error?.message?.length > 0, "it has no message");
  return `${error.status} ${error.code}`;
};
await check(name, "empty input", () =>
  refused(OpenAI.BadRequestError, () => client.audio.speech.create({ ...request, input: "" })),
);
await check(name, "unknown voice", () =>
  refused(OpenAI.APIError, () => client.audio.speech.create({ ...request, voice: "no-such-voice" })),
);
const wrong = new OpenAI({ baseURL: `${URL_BASE}/v1`, apiKey: "wrong", maxRetries: 0 });
await check(name, "wrong key", () => refused(OpenAI.AuthenticationError, () => wrong.audio.speech.create(request)));
