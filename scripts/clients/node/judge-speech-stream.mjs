/** The WebSocket that vLLM-Omni and SGLang-Omni share, with the messages of their documents. */
import { check, expectAudio, expectThat, KEY, SENTENCE, URL_BASE } from "./report.mjs";

const address = `${URL_BASE.replace(/^http/, "ws")}/v1/audio/speech/stream`;

async function speakWith(config, messages, isLast) {
  // Node's client takes headers beside what browsers' clients take.
  const socket = new WebSocket(address, { headers: { authorization: `Bearer ${KEY}` } });
  socket.binaryType = "arraybuffer";
  const received = [];
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", () => {
      for (const message of [{ type: "session.config", ...config }, ...messages]) socket.send(JSON.stringify(message));
    });
    socket.addEventListener("message", ({ data }) => {
      const message = typeof data === "string" ? JSON.parse(data) : new Uint8Array(data);
      received.push(message);
      if (message.type === "error") reject(new Error(message.message));
      if (isLast(message)) resolve();
    });
    socket.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)));
    socket.addEventListener("error", () => reject(new Error("the connection failed")));
  });
  socket.close();
  return received;
}

const audioOf = (received) => Buffer.concat(received.filter((message) => message instanceof Uint8Array));
const TEXT = [
  { type: "input.text", text: "The little boy went down to " },
  { type: "input.text", text: "the river. The sun is warm." },
];

await check("vLLM-Omni's protocol (replayed)", "session.config … input.done", async () => {
  const config = { voice: "alloy", response_format: "wav", split_granularity: "sentence", stream_audio: false };
  const received = await speakWith(config, [...TEXT, { type: "input.done" }], ({ type }) => type === "session.done");
  expectThat(received.at(-1).total_sentences === 2, `${received.at(-1).total_sentences} sentences`);
  return `${expectAudio(audioOf(received), "wav")}, 2 sentences`;
});
await check("SGLang-Omni's protocol (replayed)", "session.config … input.commit", async () => {
  const config = { session: { voice: "alloy", response_format: "pcm", stream_audio: true } };
  const isLast = ({ type }) => type === "input.committed";
  const received = await speakWith(config, [...TEXT, { type: "input.commit" }], isLast);
  expectThat(received[0].type === "session.configured", received[0].type);
  return `${expectAudio(audioOf(received), "pcm")}, ${received.filter(({ type }) => type === "audio.start").length} sentences`;
});
await check("/v1/audio/speech/stream", "input.cancel in the middle", async () => {
  const text = [{ type: "input.text", text: `${SENTENCE} `.repeat(8) }];
  const received = await speakWith(
    { voice: "alloy" },
    [...text, { type: "input.cancel" }],
    ({ type }) => type === "input.cancelled",
  );
  const started = received.filter(({ type }) => type === "audio.start").length;
  expectThat(started <= 1, `${started} sentences were begun`);
  return "nothing after it";
});
