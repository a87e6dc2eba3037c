import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeModel, type FakeModel } from "../../testing/fake-model.ts";
import { closeServedDoors, serveDoors, type ServedDoors } from "../../testing/served-doors.ts";

const CLIP = readFileSync(join(import.meta.dirname, "../../../../../demo-checkpoint/voices/slt.wav"));
const SAID = readFileSync(join(import.meta.dirname, "../../../../../demo-checkpoint/voices/slt.txt"), "utf8").trim();

let served: ServedDoors;
let model: FakeModel;

beforeEach(async () => {
  model = fakeModel();
  served = await serveDoors({ model });
});

afterEach(closeServedDoors);

type Fields = Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>;

function formOf(fields: Fields): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.set(
      name,
      typeof value === "string" ? value : new Blob([value]),
      ...(typeof value === "string" ? [] : ["a.bin"]),
    );
  }
  return form;
}

async function ask(method: string, path: string, fields?: Fields) {
  const body = fields === undefined ? {} : { body: formOf(fields) };
  const response = await fetch(served.url + path, { method, ...body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const VOICE = { name: "anna", audio_sample: new Uint8Array(CLIP), consent: "Anna agreed in writing." };
const speak = (voice: unknown) => served.post("/v1/audio/speech", { input: "The sun is warm.", voice });

describe("a voice that a client uploads", () => {
  it("speaks afterwards, by its name and by its id, and is gone when it is deleted", async () => {
    const created = await ask("POST", "/v1/audio/voices", { ...VOICE, transcript: SAID, language: "en" });
    expect(created).toMatchObject({ status: 200, body: { id: "anna", object: "audio.voice", name: "anna" } });
    expect(created.body["created_at"]).toBeGreaterThan(1e9);
    const { body: listed } = await ask("GET", "/v1/audio/voices");
    expect(listed["voices"]).toContainEqual(expect.objectContaining({ id: "anna", source: "own", language: "en" }));
    expect((await ask("GET", "/v1/audio/voices/anna")).body).toMatchObject({ id: "anna", type: "audio_sample" });
    for (const voice of ["anna", { id: "anna" }]) expect((await speak(voice)).status).toBe(200);
    for (const { references } of model.requests) expect(references).toMatchObject([{ kind: "clip", transcript: SAID }]);
    const deleted = await ask("DELETE", "/v1/audio/voices/anna");
    expect(deleted).toEqual({ status: 200, body: { id: "anna", object: "audio.voice.deleted", deleted: true } });
    expect((await speak("anna")).status).toBe(404);
    expect((await ask("DELETE", "/v1/audio/voices/anna")).status).toBe(404);
  });

  it("needs no transcript, as OpenAI's clients send none", async () => {
    expect((await ask("POST", "/v1/audio/voices", VOICE)).status).toBe(200);
    expect((await speak("anna")).status).toBe(200);
    expect(model.requests[0]?.references).toMatchObject([{ kind: "clip", transcript: "" }]);
  });

  it("may have a name of several words, whose blanks become dashes", async () => {
    const created = await ask("POST", "/v1/audio/voices", { ...VOICE, name: " Anna  Maria ", transcript: SAID });
    expect(created).toMatchObject({ status: 200, body: { id: "Anna-Maria", name: "Anna-Maria" } });
    expect((await speak({ id: "Anna-Maria" })).status).toBe(200);
  });

  it("speaks for OpenAI's name when it is called so", async () => {
    await ask("POST", "/v1/audio/voices", { ...VOICE, name: "alloy", transcript: SAID });
    writeFileSync(join(served.voicesDir, "alloy.txt"), "Other words.");
    await speak("alloy");
    expect(model.requests[0]?.references).toMatchObject([{ transcript: "Other words." }]);
  });

  it.each<readonly [string, Fields, string]>([
    ["no consent", { ...VOICE, consent: "" }, "consent"],
    ["the id of a consent that does not exist", { ...VOICE, consent: "cons_0123456789abcdef01234567" }, "consent"],
    ["no audio", { name: "anna", consent: "Yes." }, "audio_sample"],
    ["text as audio", { ...VOICE, audio_sample: "audio" }, "audio_sample"],
    ["audio of more than 10 MiB", { ...VOICE, audio_sample: new Uint8Array(10 * 2 ** 20 + 1) }, "audio_sample"],
    ["bytes that are not audio", { ...VOICE, audio_sample: Uint8Array.of(1, 2, 3, 4) }, "audio_sample"],
    ["a name that leads out of the folder", { ...VOICE, name: "../anna" }, "name"],
    ["a voice in words", { type: "prompt", name: "anna", prompt: "A deep voice." }, "sample"],
  ])("is refused with %s, and nothing is kept", async (_name, fields, word) => {
    const { status, body } = await ask("POST", "/v1/audio/voices", fields);
    expect([400, 501]).toContain(status);
    expect(body).toMatchObject({ error: { message: expect.stringContaining(word) } });
    expect(readdirSync(served.voicesDir)).toEqual([]);
  });

  it("is refused when it is not an upload, too large or has too many parts", async () => {
    const post = (body: FormData | string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      fetch(`${served.url}/v1/audio/voices`, { method: "POST", body, headers });
    const many = formOf({ ...VOICE });
    for (let part = 0; part < 100; part++) many.append("more", "");
    const type = { "content-type": "multipart/form-data; boundary=x" };
    const statuses = await Promise.all([
      post("{}", { "content-type": "application/json" }),
      post(new Uint8Array(12 * 2 ** 20), type),
      post(many),
      post("--x\r\nnonsense", type),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([415, 413, 400, 400]);
    const unbounded = await post("--x\r\n", { "content-type": "multipart/form-data" });
    expect(await unbounded.text()).toContain("without a boundary");
  });

  it("cannot be deleted when it comes with the software", async () => {
    expect(await ask("DELETE", "/v1/audio/voices/slt")).toMatchObject({ status: 400 });
  });
});

describe("consents", () => {
  const CONSENT = { name: "Anna Smith", language: "en-US", recording: new Uint8Array(CLIP) };

  it("are kept, listed page by page, renamed, used for a voice, and deleted", async () => {
    const { body: first } = await ask("POST", "/v1/audio/voice_consents", CONSENT);
    expect(first).toMatchObject({ object: "audio.voice_consent", name: "Anna Smith", language: "en-US" });
    const id = String(first["id"]);
    const { body: second } = await ask("POST", "/v1/audio/voice_consents", { ...CONSENT, name: "Bob" });
    const { body: page } = await ask("GET", "/v1/audio/voice_consents?limit=1");
    expect(page).toMatchObject({ object: "list", has_more: true });
    const { body: rest } = await ask("GET", `/v1/audio/voice_consents?limit=5&after=${String(page["last_id"])}`);
    expect(rest["has_more"]).toBe(false);
    const listed = [...(page["data"] as { id: string }[]), ...(rest["data"] as { id: string }[])];
    expect(new Set(listed.map((consent) => consent.id))).toEqual(new Set([id, second["id"]]));
    const path = `/v1/audio/voice_consents/${id}`;
    const renamed = await served.post(path, { name: "Anna S." });
    expect(await renamed.json()).toMatchObject({ id, name: "Anna S." });
    expect((await ask("GET", path)).body).toMatchObject({ id, name: "Anna S." });
    expect((await ask("POST", "/v1/audio/voices", { ...VOICE, consent: id })).status).toBe(200);
    const written = JSON.parse(readFileSync(join(served.voicesDir, "anna.json"), "utf8")) as Record<string, string>;
    expect(written["consent"]).toContain(`${id} (Anna S., `);
    expect((await ask("DELETE", path)).body).toEqual({ id, object: "audio.voice_consent", deleted: true });
    expect((await ask("GET", path)).status).toBe(404);
    expect(readdirSync(join(served.voicesDir, "consents")).filter((name) => name.startsWith(id))).toEqual([]);
  });

  it.each<readonly [string, Fields]>([
    ["without a name", { ...CONSENT, name: " " }],
    ["in no language", { ...CONSENT, language: "../en" }],
    ["without a recording", { name: "Anna", language: "en" }],
    ["with a recording that is not audio", { ...CONSENT, recording: Uint8Array.of(1, 2, 3) }],
  ])("are refused %s", async (_name, fields) => {
    expect((await ask("POST", "/v1/audio/voice_consents", fields)).status).toBe(400);
  });
});

describe("lists", () => {
  it("of models and voices are open without a key, as objects and as names", async () => {
    const { url } = await serveDoors({ env: { HIGGS_API_KEY: "key" } });
    const get = async (path: string) => {
      const response = await fetch(url + path);
      return response.status === 200 ? ((await response.json()) as Record<string, unknown>) : response.status;
    };
    expect(await get("/v1/models")).toMatchObject({
      object: "list",
      data: [{ id: "tts-1", object: "model" }, {}, {}, {}],
    });
    expect(await get("/v1/models/tts-1")).toMatchObject({ id: "tts-1" });
    expect(await get("/v1/models/unknown")).toBe(404);
    for (const prefix of ["", "/v1"]) {
      expect(await get(`${prefix}/audio/models`)).toMatchObject({
        models: [{ id: "tts-1", name: "tts-1" }, {}, {}, {}],
      });
      expect(await get(`${prefix}/audio/models?legacy=true`)).toMatchObject({ models: ["tts-1", {}, {}, {}] });
      expect(await get(`${prefix}/audio/voices`)).toMatchObject({
        voices: expect.arrayContaining([
          expect.objectContaining({ id: "alloy", name: "alloy", source: "alias" }),
          expect.objectContaining({ id: "slt", name: "slt", source: "bundled" }),
        ]),
      });
      const names = (await get(`${prefix}/audio/voices?legacy=true`)) as { voices: string[] };
      expect(names.voices).toEqual(expect.arrayContaining(["alloy", "cedar", "slt"]));
    }
    for (const path of ["/v1/audio/voices/slt", "/v1/audio/voice_consents", "/v1/other"])
      expect(await get(path)).toBe(401);
  });

  it("the user's table decides who speaks for a name, and its names are listed", async () => {
    const path = join(served.voicesDir, "table.json");
    writeFileSync(path, JSON.stringify({ alloy: "awb", nova: null, reader: "profile:male_en" }));
    const mine = fakeModel();
    const { post, url } = await serveDoors({ model: mine, env: { HIGGS_OPENAI_VOICES: path } });
    for (const voice of ["alloy", "nova", "reader", "echo"]) {
      expect((await post("/v1/audio/speech", { input: "Hello.", voice })).status).toBe(200);
    }
    const [alloy, nova, reader, echo] = mine.requests.map(({ references }) => references);
    expect(alloy).toMatchObject([{ kind: "clip", transcript: expect.stringContaining(" ") }]);
    expect(nova).toEqual([]);
    expect(reader).toMatchObject([{ kind: "profile" }]);
    expect(echo).toMatchObject([{ kind: "clip" }]);
    const { voices } = (await (await fetch(`${url}/v1/audio/voices?legacy=true`)).json()) as { voices: string[] };
    expect(voices).toContain("reader");
  });

  it.each(["", "[]", '{"alloy": 5}', "no JSON"])("a table %j ends the start with the reason", async (text) => {
    const path = join(served.voicesDir, "table.json");
    writeFileSync(path, text);
    await expect(serveDoors({ env: { HIGGS_OPENAI_VOICES: path } })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it("other methods are refused with those that there are", async () => {
    const response = await fetch(`${served.url}/v1/audio/speech`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    expect(await response.json()).toMatchObject({ error: { code: "METHOD_NOT_ALLOWED" } });
  });
});
