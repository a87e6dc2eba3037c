// Hear speech while it is made, through a server's OpenAI route; start one with `npx higgs serve`.
//   npx tsx examples/client-stream.ts http://localhost:8000 "The sun is warm." | ffplay -
// The same lines run in a browser: the client needs nothing but fetch. HIGGS_API_KEY is the server's key, if it has one.
import { HiggsApiError, SpeechClient } from "@higgs-worker/client";

const [baseUrl = "http://localhost:8000", input = "The little boy went down to the river."] = process.argv.slice(2);
const client = new SpeechClient({ baseUrl, apiKey: process.env["HIGGS_API_KEY"] });
try {
  const stream = await client.stream({ input, voice: "slt", response_format: "mp3", seed: 7, temperature: 0.3 });
  for await (const slice of stream) process.stdout.write(slice);
} catch (error) {
  if (!(error instanceof HiggsApiError)) throw error;
  console.error(`${error.code ?? "no code"}: ${error.message}${error.isRetryable ? " (try again)" : ""}`);
  process.exitCode = 1;
}
