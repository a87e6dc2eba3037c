/** RunPod's official client on RunPod's own routes. */
import { createRequire } from "node:module";
import { check, expectAudio, expectThat, KEY, named, SENTENCE, URL_BASE } from "./report.mjs";

const runpodSdk = createRequire(import.meta.url)("runpod-sdk").default;
const name = named("runpod-sdk");
const endpoint = runpodSdk(KEY, { baseUrl: `${URL_BASE}/v2` }).endpoint("higgs");
const input = { transcript: SENTENCE, ref_audio: "slt", seed: 7, delivery: "base64" };

await check(name, "runSync", async () => {
  const { status, output } = await endpoint.runSync({ input: { ...input, output_format: "mp3" } });
  expectThat(status === "COMPLETED", status);
  return expectAudio(Buffer.from(output.audio_base64, "base64"), "mp3");
});
await check(name, "run, status", async () => {
  const { id } = await endpoint.run({ input });
  for (;;) {
    const { status, output } = await endpoint.status(id);
    if (status === "COMPLETED") return expectAudio(Buffer.from(output.audio_base64, "base64"), "wav");
    expectThat(status === "IN_QUEUE" || status === "IN_PROGRESS", status);
  }
});
await check(name, "stream", async () => {
  const { id } = await endpoint.run({ input: { ...input, stream: true } });
  const types = [];
  for await (const { output } of endpoint.stream(id)) types.push(output.type);
  expectThat(types.at(-1) === "final" && types.includes("audio"), types.join(" "));
  return `${types.length} items`;
});
await check(name, "health", async () => JSON.stringify((await endpoint.health()).workers));
