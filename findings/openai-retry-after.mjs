// OpenAI's JavaScript client obeys Retry-After up to 60 seconds, and retries after half a second if it is longer.
// packages: openai@7.59.0
//
// A server that says it is busy for longer than a minute gets the next request at once. It should send at most 60, or
// `x-should-retry: false`, which the client obeys. Needs Node 22 or newer, like the package.
import { createServer } from "node:http";

if (Number(process.versions.node.split(".")[0]) < 22) {
  console.error("needs Node 22 or newer");
  process.exit(2);
}
const { default: OpenAI } = await import("openai");

/** Milliseconds until the client asks again, when the first answer is 429 with these headers; null if it does not. */
async function waitFor(headers) {
  const times = [];
  const server = createServer((request, response) => {
    times.push(performance.now());
    request.resume();
    if (times.length === 1) response.writeHead(429, headers).end('{"error": {"message": "busy"}}');
    else response.writeHead(200, { "content-type": "audio/mpeg" }).end("audio");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new OpenAI({ apiKey: "none", baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 1 });
  await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hello" }).catch(() => {});
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return times.length === 1 ? null : Math.round(times[1] - times[0]);
}

const two = await waitFor({ "retry-after": "2" });
const long = await waitFor({ "retry-after": "61" });
const never = await waitFor({ "retry-after": "61", "x-should-retry": "false" });
console.log(`retry-after: 2                          asked again after ${two} ms`);
console.log(`retry-after: 61                         asked again after ${long} ms`);
console.log(
  `retry-after: 61, x-should-retry: false  ${never === null ? "not asked again" : `asked again after ${never} ms`}`,
);
const holds = two >= 1900 && long !== null && long < 2000 && never === null;
console.log(holds ? "still so" : "no longer so");
process.exit(holds ? 0 : 1);
