/** Vercel's AI SDK with its OpenAI provider. */
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateSpeech } from "ai";
import { check, expectAudio, expectThat, KEY, named, SENTENCE, URL_BASE } from "./report.mjs";

const name = `${named("ai", "Vercel ai")}, ${named("@ai-sdk/openai")}`;
const openai = createOpenAI({ baseURL: `${URL_BASE}/v1`, apiKey: KEY });
const model = openai.speech("gpt-4o-mini-tts");
const speak = (more = {}) => generateSpeech({ model, text: SENTENCE, maxRetries: 0, ...more });

await check(name, "generateSpeech", async () => {
  const { audio, warnings } = await speak();
  expectThat(warnings.length === 0, JSON.stringify(warnings));
  expectThat(audio.mediaType === "audio/mp3" || audio.mediaType === "audio/mpeg", audio.mediaType);
  return expectAudio(audio.uint8Array, "mp3");
});
for (const outputFormat of ["wav", "flac", "opus"]) {
  await check(name, `outputFormat ${outputFormat}`, async () =>
    expectAudio((await speak({ outputFormat, voice: "verse" })).audio.uint8Array, outputFormat),
  );
}
await check(name, "instructions, speed", async () =>
  expectAudio((await speak({ instructions: "a large hall", speed: 0.8 })).audio.uint8Array, "mp3"),
);
await check(name, "unknown voice", async () => {
  const error = await speak({ voice: "no-such-voice" }).catch((reason) => reason);
  expectThat(APICallError.isInstance(error), String(error));
  expectThat(error.message.includes("voice"), error.message);
  return `${error.statusCode} with its reason`;
});
