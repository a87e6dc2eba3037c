import { HiggsError } from "@higgs-worker/base";
import { decodeAndResample } from "@higgs-worker/audio";
import { afterEach, describe, expect, it } from "vitest";
import { fakeModel } from "../../testing/fake-model.ts";
import { closeServedDoors, serveDoors } from "../../testing/served-doors.ts";

afterEach(closeServedDoors);

const VOICE = "/v1/text-to-speech/profile:male_en";
const PCM = "?output_format=pcm_24000";
const TEXT = "The sun is warm. The sky\nis blue.  And so on";

interface Timed {
  readonly audio_base64: string;
  readonly alignment: {
    readonly characters: readonly string[];
    readonly character_start_times_seconds: readonly number[];
    readonly character_end_times_seconds: readonly number[];
  } | null;
}

const audioOf = (parts: readonly Timed[]): Buffer =>
  Buffer.concat(parts.map(({ audio_base64: audio }) => Buffer.from(audio, "base64")));

describe("POST /v1/text-to-speech/{voice_id}", () => {
  it("is the whole audio with its length, and what clients send besides is ignored", async () => {
    const model = fakeModel({ frames: 4 });
    const { post } = await serveDoors({ model });
    const response = await post(`${VOICE}${PCM}&enable_logging=false&optimize_streaming_latency=3`, {
      text: TEXT,
      model_id: "eleven_multilingual_v2",
      language_code: "en",
      seed: 7,
      previous_text: "Before.",
      apply_text_normalization: "auto",
      pronunciation_dictionary_locators: [],
      use_pvc_as_ivc: false,
      voice_settings: { stability: 0.75, similarity_boost: 0.75, style: 0, use_speaker_boost: true, speed: 1 },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("audio/pcm");
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(Number(response.headers.get("content-length"))).toBe(4 * 960 * 2);
    expect(bytes).toHaveLength(4 * 960 * 2);
    expect(model.requests).toHaveLength(1);
    expect(model.requests[0]).toMatchObject({ transcript: TEXT, seed: 7, sampling: { temperature: 0.7 } });
    expect(model.requests[0]?.references).toMatchObject([{ kind: "profile" }]);
  });

  it("reads breaks as pauses, up to three seconds, with times and without", async () => {
    const model = fakeModel({ isLive: true, frames: 4, codes: true });
    const { post } = await serveDoors({ model });
    const text = 'Hello. <break time="1.0s" /> <b>So</b> it is. <break time="9s"/>';
    expect((await post(VOICE + PCM, { text })).status).toBe(200);
    const timed = await post(`${VOICE}/with-timestamps${PCM}`, { text });
    const { alignment } = (await timed.json()) as Timed;
    // The times are those of the text as the client knows it.
    expect(alignment?.characters.join("")).toBe(text);
    expect(model.requests.map(({ transcript }) => transcript)).toEqual([
      "Hello. [pause 1000ms] <b>So</b> it is. [pause 3000ms]",
      "Hello. [pause 1000ms] <b>So</b> it is. [pause 3000ms]",
    ]);
  });

  it("reads other formats if they are named, but not sentence by sentence", async () => {
    const model = fakeModel({ frames: 2 });
    const { post } = await serveDoors({ model });
    const fields = { text: "<p>One <break time='1s'/> two</p>", text_format: "html" };
    expect((await post(VOICE + PCM, fields)).status).toBe(200);
    expect(model.requests[0]?.transcript).toBe("One two.");
    const timed = await post(`${VOICE}/with-timestamps${PCM}`, fields);
    expect(timed.status).toBe(400);
    expect(await timed.text()).toContain("text_format must be plain or raw");
  });

  it.each([
    ["", "audio/mpeg", "mp3", 44_100],
    ["?output_format=mp3_22050_32", "audio/mpeg", "mp3", 22_050],
    ["?output_format=opus_48000_64", "audio/ogg", "ogg-opus", 48_000],
    ["?output_format=wav_8000", "audio/wav", "wav", 8000],
  ])("in the format %s", async (query, type, format, sampleRateHz) => {
    const { post } = await serveDoors({ model: fakeModel({ isLive: true, frames: 25 }) });
    for (const path of ["", "/stream"]) {
      const response = await post(VOICE + path + query, { text: "Hello." });
      expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
      const { audio } = await decodeAndResample(new Uint8Array(await response.arrayBuffer()), 24_000);
      expect([audio.format, audio.sampleRateHz]).toEqual([format, sampleRateHz]);
      // A second, and what a stream cannot say to leave out.
      expect(audio.samples.length / audio.sampleRateHz).toBeGreaterThanOrEqual(1);
      expect(audio.samples.length / audio.sampleRateHz).toBeLessThan(path === "" ? 1.0001 : 1.2);
    }
  });

  it.each([
    ["pcm_16000", 32_000],
    ["pcm_44100", 88_200],
    ["ulaw_8000", 8000],
  ])("in the format %s, which has no header", async (name, bytes) => {
    const { post } = await serveDoors({ model: fakeModel({ isLive: true, frames: 25 }) });
    for (const path of ["", "/stream"]) {
      const response = await post(`${VOICE}${path}?output_format=${name}`, { text: "Hello." });
      expect((await response.arrayBuffer()).byteLength).toBe(bytes);
    }
  });

  it("/stream gives the first audio long before the last is made", async () => {
    const { post } = await serveDoors({ model: fakeModel({ isLive: true, frames: 2000, frameMs: 1 }) });
    const response = await post(`${VOICE}/stream${PCM}`, { text: TEXT });
    const reader = response.body?.getReader();
    expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
    await reader?.cancel();
  });

  it("stability 0.5 is the model's own temperature, 1 steadier, 0 livelier", async () => {
    const model = fakeModel({ frames: 1 });
    const { post } = await serveDoors({ model });
    for (const stability of [0, 0.5, 1]) {
      await post(VOICE + PCM, { text: "Hello.", voice_settings: { stability } });
    }
    await post(VOICE + PCM, { text: "Hello." });
    expect(model.requests.map(({ sampling }) => sampling?.temperature)).toEqual([1.2, 1, 0.4, 1]);
  });
});

describe("times of characters", () => {
  it("/with-timestamps has one for each character of the text, up to the end of the audio", async () => {
    const { post } = await serveDoors({ model: fakeModel({ isLive: true, frames: 25 }) });
    const response = await post(`${VOICE}/with-timestamps${PCM}`, { text: TEXT });
    expect(response.headers.get("x-higgs-alignment")).toBe("estimate");
    const timed = (await response.json()) as Timed & { readonly normalized_alignment: unknown };
    expect(audioOf([timed])).toHaveLength(3 * 25 * 960 * 2);
    const {
      characters = [],
      character_start_times_seconds: starts = [],
      character_end_times_seconds: ends = [],
    } = timed.alignment ?? {};
    expect(characters.join("")).toBe(TEXT);
    expect([starts.length, ends.length]).toEqual([TEXT.length, TEXT.length]);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts.slice(1)).toEqual(ends.slice(0, -1));
    // Each sentence is one second, at its place.
    expect([starts[0], ends.at(-1)]).toEqual([0, 3]);
    expect(ends[TEXT.indexOf(".")]).toBe(1);
    expect(ends[TEXT.indexOf("blue.") + 4]).toBe(2);
    expect(timed.normalized_alignment).toEqual(timed.alignment);
  });

  it("/stream/with-timestamps is lines of JSON, whose audio is one stream and whose times go on", async () => {
    const model = fakeModel({ isLive: true, frames: 25, codes: true });
    const { post } = await serveDoors({ model });
    const response = await post(`${VOICE}/stream/with-timestamps${PCM}`, { text: TEXT, seed: 3 });
    expect(response.headers.get("x-higgs-alignment")).toBe("estimate");
    const lines = (await response.text()).trimEnd().split("\n");
    const parts = lines.map((line) => JSON.parse(line) as Timed);
    expect(parts.length).toBeGreaterThan(6);
    expect(audioOf(parts)).toHaveLength(3 * 25 * 960 * 2);
    const alignments = parts.flatMap(({ alignment }) => (alignment === null ? [] : [alignment]));
    expect(alignments.flatMap(({ characters }) => characters).join("")).toBe(TEXT);
    expect(alignments.map(({ character_end_times_seconds: ends }) => ends.at(-1))).toEqual([1, 2, 3]);
    expect(model.requests.map(({ earlier }) => earlier?.chunks.length ?? 0)).toEqual([0, 1, 2]);
  });

  it("a client that hangs up stops the speech", async () => {
    const model = fakeModel({ isLive: true, frames: 2000, frameMs: 1 });
    const { post, server } = await serveDoors({ model });
    const response = await post(`${VOICE}/stream/with-timestamps${PCM}`, { text: "One is long. Two is long." });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => [...server.api.queue.records()].map(({ status }) => status)).toEqual(["CANCELLED"]);
    expect(model.requests).toHaveLength(1);
  });
});

describe("errors have ElevenLabs' form", () => {
  it.each([
    ["a voice that there is not", `/v1/text-to-speech/nobody${PCM}`, { text: "Hi." }, 404, "voice_not_found"],
    ["no text", VOICE, {}, 400, "invalid_parameters"],
    ["text that is null", VOICE, { text: null }, 400, "invalid_parameters"],
    ["blank text", VOICE, { text: " \n" }, 400, "invalid_parameters"],
    ["text that is not text", VOICE, { text: ["Hi."] }, 400, "invalid_parameters"],
    ["a body that is not an object", VOICE, "[]", 400, "invalid_parameters"],
    ["a format that there is not", `${VOICE}?output_format=mp3_1_2`, { text: "Hi." }, 400, "invalid_parameters"],
    ["stability beyond 1", VOICE + PCM, { text: "Hi.", voice_settings: { stability: 2 } }, 400, "invalid_parameters"],
    ["a seed of 33 bits", VOICE + PCM, { text: "Hi.", seed: 2 ** 32 }, 400, "invalid_parameters"],
    ["a control string", `${VOICE}/stream/with-timestamps${PCM}`, { text: "<|eot_id|> a" }, 400, "invalid_parameters"],
    ["another route", `${VOICE}/dance`, { text: "Hi." }, 404, "not_found"],
  ])("%s", async (_, path, body, status, word) => {
    const { post } = await serveDoors();
    const response = await post(path, body);
    expect(response.status).toBe(status);
    const { detail } = (await response.json()) as { readonly detail: { readonly message: string } };
    expect(detail).toMatchObject({ status: word, message: expect.stringContaining("Cannot") });
    expect(JSON.stringify(detail)).not.toContain("<|eot_id|>");
  });

  it("and so have failures of the model, with a status before the first audio", async () => {
    const fail = new HiggsError("GENERATION_FAILED", "speak the text", "the model ended at once");
    const { post } = await serveDoors({ model: fakeModel({ fail }) });
    for (const path of ["", "/stream", "/with-timestamps", "/stream/with-timestamps"]) {
      const response = await post(VOICE + path + PCM, { text: "Hi." });
      expect(response.status).toBe(500);
      expect(await response.json()).toMatchObject({
        detail: { status: "generation_failed", code: "GENERATION_FAILED" },
      });
    }
  });

  it("the key is asked for in xi-api-key, and taken as Authorization too", async () => {
    const { post, url } = await serveDoors({ env: { HIGGS_API_KEY: "right" } });
    for (const headers of [{}, { "xi-api-key": "wrong" }, { "xi-api-key": "" }]) {
      const response = await post(VOICE, { text: "Hi." }, { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ detail: { status: "invalid_api_key" } });
      expect((await fetch(`${url}/v1/voices`, { headers })).status).toBe(401);
      expect((await fetch(`${url}/v2/voices`, { headers })).status).toBe(401);
    }
    expect((await fetch(`${url}/v1/models`, { headers: { "xi-api-key": "wrong" } })).status).toBe(401);
    for (const headers of [{ "xi-api-key": "right" }, { authorization: "Bearer right" }]) {
      expect((await post(VOICE + PCM, { text: "Hi." }, { headers })).status).toBe(200);
    }
  });
});

describe("catalogs", () => {
  it("GET /v1/voices and /v1/voices/{voice_id}: the names that can be used", async () => {
    const { url, post } = await serveDoors();
    const { voices } = (await (await fetch(`${url}/v1/voices`)).json()) as {
      readonly voices: readonly { readonly voice_id: string; readonly name: string; readonly category: string }[];
    };
    expect(voices.map(({ voice_id: id }) => id)).toContain("alloy");
    expect(voices[0]).toMatchObject({ voice_id: expect.any(String), name: expect.any(String), category: "premade" });
    const one = await fetch(`${url}/v1/voices/${voices[0]?.voice_id ?? ""}`);
    expect(await one.json()).toEqual(voices[0]);
    expect((await fetch(`${url}/v1/voices/nobody`)).status).toBe(404);
    const spoken = await post(`/v1/text-to-speech/${voices[0]?.voice_id ?? ""}${PCM}`, { text: "Hi." });
    expect(spoken.status).toBe(200);
  });

  it("GET /v2/voices: page by page, and by a search", async () => {
    const { url } = await serveDoors();
    const page = async (query: string) =>
      (await (await fetch(`${url}/v2/voices${query}`)).json()) as {
        readonly voices: readonly { readonly voice_id: string }[];
        readonly has_more: boolean;
        readonly total_count: number;
        readonly next_page_token: string | null;
      };
    const all: string[] = [];
    let token: string | null = "";
    while (token !== null) {
      const {
        voices,
        next_page_token: next,
        has_more: hasMore,
      } = await page(`?page_size=5${token === "" ? "" : `&next_page_token=${token}`}`);
      all.push(...voices.map(({ voice_id: id }) => id));
      expect(hasMore).toBe(next !== null);
      token = next;
    }
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength((await page("")).total_count);
    expect((await page("?search=ALLO")).voices).toMatchObject([{ voice_id: "alloy" }]);
  });

  it("GET /v1/models: ElevenLabs' names, to clients that send its header", async () => {
    const { url } = await serveDoors();
    const models = (await (await fetch(`${url}/v1/models`, { headers: { "xi-api-key": "x" } })).json()) as unknown;
    expect(models).toContainEqual(
      expect.objectContaining({ model_id: "eleven_multilingual_v2", can_do_text_to_speech: true }),
    );
  });
});
