import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { isHiggsError } from "@higgs-worker/base";
import { expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../config/load.ts";
import { silentLogger } from "../logging/logger.ts";
import { REFERENCE_LIMITS } from "../references/prepare-references.ts";
import { createReferenceServices } from "../references/voices.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { flacBomb, humBytes, nanBytes, silentMp3, wavOf } from "../testing/hostile-audio.ts";
import { scratchDir } from "../testing/scratch.ts";
import { parseJob } from "./parse-input.ts";
import { runSpeechJob } from "./run-speech-job.ts";

/** Everything that a stranger can put into `ref_audio`: one clear error each, nothing on disk, memory bounded. */

const FIXTURES = join(import.meta.dirname, "../../../../packages/audio/test/fixtures");
const opus = readFileSync(join(FIXTURES, "ogg-opus-stereo.opus"));
const flac = readFileSync(join(FIXTURES, "flac-s16-stereo-44k.flac"));

/** More than this is not bounded; a clip of the longest length takes 46 MB as it is decoded. */
const MEMORY_BYTES = 500e6;

const limits = { ...REFERENCE_LIMITS, timeoutMs: 1_000 };

/** Answers of a resolver, one after the other. */
const answering = (...answers: string[]) => {
  let asked = 0;
  return async () => [{ address: answers[asked++] ?? "127.0.0.1", family: 4 }];
};

interface Case {
  readonly refAudio: unknown;
  readonly error: RegExp;
  /** What the server at HOST answers. */
  readonly serve?: RequestListener;
  readonly resolve?: () => Promise<{ address: string; family: number }[]>;
  readonly forbidLoopback?: boolean;
}

const base64 = (bytes: Uint8Array) => ({ audio_base64: Buffer.from(bytes).toString("base64"), transcript: "Hello." });
const invalid = (reason: string) => new RegExp(`^REFERENCE_INVALID: Cannot use ref_audio: .*${reason}`);
const refused = (reason = "") => new RegExp(`^REFERENCE_REFUSED: Cannot use ref_audio: .*${reason}`);
const bytes = (content: Uint8Array, error: RegExp): Case => ({ refAudio: base64(content), error });
const served = (serve: RequestListener, error: RegExp): Case => ({ refAudio: "HOST/a.wav", serve, error });
const address = (refAudio: string, error = refused()): Case => ({ refAudio, error, forbidLoopback: true });
const redirect = (location: string): Case =>
  served((_, response) => response.writeHead(302, { location }).end(), refused());

const CASES: Readonly<Record<string, Case>> = {
  "no bytes": bytes(new Uint8Array(0), invalid("empty")),
  "one byte": bytes(Uint8Array.of(0x52), invalid("not supported audio")),
  "an HTML page": bytes(Buffer.from("<!doctype html><html></html>"), invalid("an HTML page")),
  "a voice message in AMR": bytes(Buffer.from("#!AMR\n<aaaaaaaaaaa"), invalid("ffmpeg -i clip.amr -vn clip.wav")),
  "a zip archive": bytes(Buffer.from("PK\u0003\u0004aaaaaaaaaaaaaaaa"), invalid("a zip archive")),
  "a WAV of 0 samples": bytes(wavOf(new Uint8Array(0)), invalid("0 samples")),
  "a WAV of floats that are NaN": bytes(wavOf(nanBytes(48_000), { tag: 3, bits: 32 }), invalid("")),
  "a WAV of 1 Hz": bytes(wavOf(humBytes(1), { sampleRateHz: 1 }), invalid("1 Hz")),
  "a WAV of 4 GHz": bytes(wavOf(humBytes(1), { sampleRateHz: 4_000_000_000 }), invalid("4000000000 Hz")),
  "a WAV of 64 channels": bytes(wavOf(humBytes(4), { channels: 64 }), invalid("64")),
  "a WAV of 0 channels": bytes(wavOf(humBytes(1), { channels: 0 }), invalid("")),
  "a WAV of 56 bits": bytes(wavOf(humBytes(1), { bits: 56 }), invalid("")),
  "a WAV of 130 seconds": bytes(wavOf(humBytes(130)), invalid("limit 120")),
  "a WAV of silence": bytes(wavOf(new Uint8Array(96_000)), invalid("silent throughout")),
  "a WAV of 10 ms": bytes(wavOf(humBytes(0.01)), invalid("too short")),
  "a FLAC that promises 400 hours": bytes(flacBomb(), invalid("")),
  "a FLAC that is cut off": bytes(flac.subarray(0, flac.length >> 1), invalid("")),
  "an MP3 of three hours": bytes(silentMp3(10_800), invalid("limit 120")),
  "an Opus that is cut off": bytes(opus.subarray(0, opus.length >> 1), invalid("")),
  "an Opus without audio pages": bytes(opus.subarray(0, 100), invalid("")),
  "base64 that is not": {
    refAudio: { audio_base64: "<script>", transcript: "x" },
    error: invalid("not valid base64"),
  },
  "50 MB of base64": { refAudio: { audio_base64: "A".repeat(50e6), transcript: "x" }, error: invalid("too large") },
  "a data address without base64": { refAudio: "data:audio/wav,%00", error: invalid("not base64") },
  "file:": address("file:///etc/passwd"),
  "file: in a clip": { refAudio: { url: "file:///etc/passwd", transcript: "x" }, error: refused() },
  "ftp:": address("ftp://example.com/a.wav"),
  "plain http": address("http://example.com/a.wav", refused("only https")),
  "this machine": address("https://127.0.0.1/a.wav"),
  "this machine in IPv6": address("https://[::1]/a.wav"),
  "this machine, mapped into IPv6": address("https://[::ffff:7f00:1]/a.wav"),
  "this machine as a number": address("https://2130706433/a.wav"),
  "a metadata service": address("https://169.254.169.254/latest/meta-data/"),
  "a metadata service by NAT64": address("https://[64:ff9b::a9fe:a9fe]/"),
  "a unique local address": address("https://[fd00::1]/"),
  "a password in the address": address("https://user:secret@example.com/a.wav"),
  "a name that means a private address": { ...address("https://evil.test/"), resolve: answering("10.0.0.1") },
  "a name that means another address at the second look": {
    ...served((_, response) => response.writeHead(302, { location: "http://evil.test/" }).end(), refused()),
    resolve: answering("127.0.0.1", "192.168.0.1"),
    refAudio: "http://evil.test:PORT/a.wav",
  },
  "a redirect to a private address": redirect("https://192.168.1.1/"),
  "a redirect to a file": redirect("file:///etc/passwd"),
  "redirects without end": served(
    (_, response) => response.writeHead(302, { location: "/again" }).end(),
    invalid("redirects too often"),
  ),
  "a body without end": served((_, response) => {
    const send = (): void =>
      void (response.destroyed || response.write(Buffer.alloc(1 << 20), () => setImmediate(send)));
    response.write(wavOf(humBytes(1)), send);
  }, invalid("too (large|slow)")),
  "a slow body": served((_, response) => {
    const timer = setInterval(() => response.write("R"), 50);
    response.on("close", () => clearInterval(timer));
  }, invalid("too slow")),
  "a page that says it is audio": served(
    (_, response) => response.writeHead(200, { "content-type": "audio/wav" }).end("<html></html>"),
    invalid("an HTML page"),
  ),
  "a page that is long": served(
    (_, response) => response.end(`<!doctype html>${"x".repeat(100_000)}`),
    invalid("an HTML page"),
  ),
  "status 404": served((_, response) => response.writeHead(404).end(), invalid("status 404")),
  "a path as a name": { refAudio: "../../etc/passwd", error: /^VOICE_NOT_FOUND: / },
  "a path of Windows": { refAudio: "..\\..\\voices\\slt", error: /^VOICE_NOT_FOUND: / },
  "a name with a null": { refAudio: "slt\0.wav", error: /^VOICE_NOT_FOUND: / },
  "a name of 10 000 letters": { refAudio: "a".repeat(10_000), error: /^VOICE_NOT_FOUND: / },
  "17 names": { refAudio: Array.from({ length: 17 }, () => "slt").join(","), error: /^INVALID_INPUT: .*limit 16/ },
  "control strings as transcript": {
    refAudio: { url: "https://example.com/a.wav", transcript: "<|eot_id|>" },
    error: /^INVALID_INPUT: /,
  },
  "a transcript of 1 MB": {
    refAudio: { url: "https://example.com/a.wav", transcript: "a".repeat(1e6) },
    error: /^INVALID_INPUT: .*limit 4000/,
  },
};

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

it.each(Object.entries(CASES))("%s", async (_name, { refAudio, error, serve: listener, resolve, forbidLoopback }) => {
  const dir = scratchDir();
  const volume = join(dir, "volume");
  mkdirSync(volume);
  const port = listener === undefined ? 0 : await serve(listener);
  const ref_audio =
    typeof refAudio === "string"
      ? refAudio.replace("HOST", `http://127.0.0.1:${port}`).replace("PORT", String(port))
      : refAudio;
  const { config } = loadConfig({ HIGGS_VOLUME_DIR: volume, HIGGS_OUTPUT_DIR: join(dir, "out") });
  const fetch = { allowLoopback: forbidLoopback !== true, resolve };
  const model = fakeModel();
  const services = {
    config,
    logger: silentLogger,
    model: async () => model,
    references: createReferenceServices(config, { fetch, limits }),
  };
  const before = process.memoryUsage().rss;
  const speak = async () =>
    runSpeechJob(parseJob({ id: "j", input: { transcript: "Hi.", ref_audio } }, config), services);
  const failure: unknown = await speak().catch((error: unknown) => error);
  expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY_BYTES);
  expect(isHiggsError(failure) ? failure.toString() : failure).toMatch(error);
  expect(String(failure).length).toBeLessThan(400);
  expect(String(failure)).not.toMatch(/passwd|secret|meta-data/);
  expect(model.requests).toEqual([]);
  expect(readdirSync(volume)).toEqual([]);
  expect(existsSync(join(dir, "out"))).toBe(false);
});

it("the table has more than thirty cases", () => expect(Object.keys(CASES).length).toBeGreaterThan(30));
