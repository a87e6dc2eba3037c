// Speak through a RunPod queue endpoint, and see how far the job is.
//   RUNPOD_API_KEY=… npx tsx examples/client-queue.ts ENDPOINT_ID out.wav
// `npx higgs serve` answers on the same routes: give its address as the third argument.
import { writeFile } from "node:fs/promises";
import { RunPodEndpoint } from "@higgs-worker/client";

const [endpointId = "local", file = "out.wav", baseUrl] = process.argv.slice(2);
const endpoint = new RunPodEndpoint({ endpointId, apiKey: process.env["RUNPOD_API_KEY"], baseUrl });
const { id } = await endpoint.run({
  transcript: "[SPEAKER0] I have a small question.\n[SPEAKER1] Please ask.",
  ref_audio: "slt,rms",
  chunk_method: "speaker",
  temperature: 0.3,
  seed: 5,
  delivery: "base64",
});
console.log(`job ${id}: ${(await endpoint.status(id)).status}`);
const { audio_base64: audio, download_url: url, duration_seconds: seconds } = await endpoint.result(id);
if (audio !== null) await writeFile(file, Buffer.from(audio, "base64"));
console.log(`${seconds.toFixed(2)} s in ${url ?? file}`);
