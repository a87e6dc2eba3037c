/** Calls of a client, each printed as a line that scripts/check-clients.ts reads. */
import { readFileSync } from "node:fs";

export const URL_BASE = process.env["HIGGS_URL"];
export const KEY = process.env["HIGGS_KEY"];
export const CLIP = process.env["HIGGS_CLIP"];
export const CLIP_WORDS = process.env["HIGGS_CLIP_WORDS"];
export const SENTENCE = "The little boy went down to the river.";

/** Runs one call; `run` gives what was seen and throws when it is wrong. */
export async function check(client, call, run) {
  let result;
  try {
    result = { client, call, ok: true, seen: String(await run()) };
  } catch (error) {
    result = { client, call, ok: false, seen: String(error).slice(0, 400) };
  }
  console.log(`RESULT ${JSON.stringify(result)}`);
}

export function expectThat(isTrue, why) {
  if (!isTrue) throw new Error(why);
}

/** The format that the first bytes show. */
function kindOf(audio) {
  const start = Buffer.from(audio.subarray(0, 4)).toString("latin1");
  if (start === "RIFF") return "wav";
  if (start === "OggS") return "opus";
  if (start === "fLaC") return "flac";
  // Layer III only: quiet samples of raw audio begin with 0xff 0xff too.
  if (start.startsWith("ID3") || (audio[0] === 0xff && (audio[1] & 0xe6) === 0xe2)) return "mp3";
  return "pcm";
}

/** The audio's size, after checking its format and that it is not nearly nothing. */
export function expectAudio(audio, kind) {
  expectThat(audio.length > 4000, `only ${audio.length} bytes`);
  expectThat(kindOf(audio) === kind, `got ${kindOf(audio)} instead of ${kind}`);
  return `${kind}, ${Math.floor(audio.length / 1000)} kB`;
}

/** `name version` of an installed package. */
export function named(name, label = name) {
  return `${label} ${JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version}`;
}
