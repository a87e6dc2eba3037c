/** ElevenLabs' official client for Node, and its WebSockets, for which the client has no call. */
import { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { check, expectAudio, expectThat, KEY, named, SENTENCE, URL_BASE } from "./report.mjs";

const name = named("@elevenlabs/elevenlabs-js");
const client = new ElevenLabsClient({ baseUrl: URL_BASE, apiKey: KEY, maxRetries: 0 });
const request = { text: SENTENCE, modelId: "eleven_multilingual_v2", seed: 7 };
const TWO_SENTENCES = `${SENTENCE} The sun is warm.`;

async function bytesOf(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

await check(name, "textToSpeech.convert", async () =>
  expectAudio(await bytesOf(await client.textToSpeech.convert("alloy", request)), "mp3"),
);
for (const [outputFormat, kind] of [
  ["mp3_22050_32", "mp3"],
  ["opus_48000_64", "opus"],
  ["pcm_16000", "pcm"],
]) {
  await check(name, `textToSpeech.stream ${outputFormat}`, async () =>
    expectAudio(await bytesOf(await client.textToSpeech.stream("alloy", { ...request, outputFormat })), kind),
  );
}
await check(name, "textToSpeech.stream ulaw_8000", async () => {
  // Silence of this format looks like the first bytes of an MP3 frame.
  const audio = await bytesOf(await client.textToSpeech.stream("alloy", { ...request, outputFormat: "ulaw_8000" }));
  expectThat(audio.length > 8000, `only ${audio.length} bytes`);
  return `${(audio.length / 8000).toFixed(1)} s`;
});
await check(name, "voiceSettings", async () => {
  const voiceSettings = { stability: 0.8, similarityBoost: 0.7, style: 0, useSpeakerBoost: true, speed: 1.1 };
  return expectAudio(await bytesOf(await client.textToSpeech.convert("alloy", { ...request, voiceSettings })), "mp3");
});
await check(name, "textToSpeech.convertWithTimestamps", async () => {
  const { audioBase64, alignment } = await client.textToSpeech.convertWithTimestamps("alloy", request);
  expectThat(alignment.characters.join("") === SENTENCE, "the characters are not the text");
  const end = alignment.characterEndTimesSeconds.at(-1);
  expectThat(end > 0.5, `it ends after ${end} s`);
  return `${expectAudio(Buffer.from(audioBase64, "base64"), "mp3")}, ${alignment.characters.length} characters`;
});
await check(name, "textToSpeech.streamWithTimestamps", async () => {
  const audio = [];
  const characters = [];
  const stream = await client.textToSpeech.streamWithTimestamps("alloy", { ...request, text: TWO_SENTENCES });
  for await (const { audioBase64, alignment } of stream) {
    audio.push(Buffer.from(audioBase64, "base64"));
    characters.push(...(alignment?.characters ?? []));
  }
  expectThat(characters.join("") === TWO_SENTENCES, "the characters are not the text");
  return `${expectAudio(Buffer.concat(audio), "mp3")} in ${audio.length} parts, ${characters.length} characters`;
});
await check(name, "voices.getAll, get, search", async () => {
  const { voices } = await client.voices.getAll();
  const { voiceId } = await client.voices.get(voices[0].voiceId);
  const page = await client.voices.search({ search: "alloy" });
  expectThat(voiceId === voices[0].voiceId && page.voices[0].voiceId === "alloy", "another voice");
  return `${voices.length} voices`;
});
await check(name, "models.list", async () => {
  const models = await client.models.list();
  expectThat(
    models.every(({ canDoTextToSpeech }) => canDoTextToSpeech),
    "a model that does not speak",
  );
  return `${models.length} names`;
});
await check(name, "error of an unknown voice", async () => {
  const error = await client.textToSpeech.convert("nobody", request).catch((thrown) => thrown);
  expectThat(error.statusCode === 404 && error.body?.detail?.status === "voice_not_found", String(error));
  return "404, voice_not_found";
});
await check(name, "error of a wrong key", async () => {
  const stranger = new ElevenLabsClient({ baseUrl: URL_BASE, apiKey: "wrong", maxRetries: 0 });
  const error = await stranger.voices.getAll().catch((thrown) => thrown);
  expectThat(error.statusCode === 401 && error.body?.detail?.status === "invalid_api_key", String(error));
  return "401, invalid_api_key";
});

/** Speaks over a WebSocket as ElevenLabs' documents say; the key comes with the first message, since browsers have no headers. */
async function speakOver(path, messages) {
  const socket = new WebSocket(`${URL_BASE.replace(/^http/, "ws")}${path}`);
  const received = [];
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", () => {
      for (const message of messages) socket.send(JSON.stringify(message));
    });
    socket.addEventListener("message", ({ data }) => void received.push(JSON.parse(data)));
    socket.addEventListener("error", () => reject(new Error("the connection failed")));
    socket.addEventListener("close", ({ code }) =>
      code === 1000 ? resolve() : reject(new Error(`closed with ${code}`)),
    );
  });
  const error = received.find((message) => message.error !== undefined);
  expectThat(error === undefined, JSON.stringify(error));
  return received;
}

const audioOf = (messages) => Buffer.concat(messages.map(({ audio }) => Buffer.from(audio ?? "", "base64")));

await check("ElevenLabs' WebSockets (replayed)", "stream-input", async () => {
  const messages = await speakOver("/v1/text-to-speech/alloy/stream-input?model_id=eleven_flash_v2_5", [
    { text: " ", voice_settings: { stability: 0.5, similarity_boost: 0.8 }, xi_api_key: KEY },
    { text: "The little boy went " },
    { text: "down to the river. " },
    { text: "" },
  ]);
  expectThat(messages.at(-1).isFinal === true, "no end");
  expectThat(
    messages.some(({ alignment }) => alignment?.chars.join("").startsWith("The little boy")),
    "no times",
  );
  return expectAudio(audioOf(messages), "mp3");
});
await check("ElevenLabs' WebSockets (replayed)", "multi-stream-input", async () => {
  const messages = await speakOver("/v1/text-to-speech/alloy/multi-stream-input?output_format=pcm_24000", [
    { text: " ", context_id: "a", xi_api_key: KEY },
    { text: `${SENTENCE} `, context_id: "a", flush: true },
    { text: "The sun is warm. ", context_id: "b", flush: true },
    { context_id: "a", close_context: true },
    { close_socket: true },
  ]);
  const sizes = ["a", "b"].map((id) => audioOf(messages.filter(({ contextId }) => contextId === id)));
  expectThat(messages.filter(({ isFinal }) => isFinal === true).length === 2, "not two ends");
  return sizes.map((audio) => expectAudio(audio, "pcm")).join("; ");
});
