import { Validator } from "@seriousme/openapi-schema-validator";
import { afterEach, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { JOB_FIELDS } from "../../job/job-fields.ts";
import { closeServedDoors, serveDoors } from "../../testing/served-doors.ts";
import { openApiDocument } from "./document.ts";

const { config } = loadConfig({}, {});

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly properties?: object }>> };
}

const document = openApiDocument(config) as unknown as Document;

afterEach(closeServedDoors);

it("is valid OpenAPI 3.1, with names that occur once", async () => {
  const result = await new Validator().validate(structuredClone(openApiDocument(config)));
  expect(result).toMatchObject({ valid: true });
  const names = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  );
  expect(new Set(names).size).toBe(names.length);
});

it("has the fields of a job from their table, with the limits of the server", async () => {
  expect(Object.keys(document.components.schemas["JobInput"]?.properties ?? {})).toEqual(Object.keys(JOB_FIELDS));
  const { url } = await serveDoors({ env: { HIGGS_OPENAI_MAX_INPUT_CHARS: "77", HIGGS_API_KEY: "key" } });
  const answer = await fetch(`${url}/openapi.json`);
  expect(answer.status).toBe(200);
  expect(JSON.stringify(await answer.json())).toContain('"maxLength":77');
});

/** The same operations elsewhere, the page, and ElevenLabs' API, which is described by its own documents. */
const ELSEWHERE =
  /^\/:endpoint|^\/v2\/|^\/audio\/|\*|^\/$|^\/playground|^\/openai|^\/realtime|^\/v1\/(?:text-to-speech|voices|user)/;

it("has the routes that there are, and no others", async () => {
  const { routes } = (await serveDoors()).server.api.app;
  const ours = routes.filter(({ method, path }) => method !== "ALL" && !ELSEWHERE.test(path));
  const routesServed = new Set(ours.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`));
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // RunPod's clients may ask for a job with either method.
  const doubles = ["POST /status/{id}", "POST /status-sync/{id}", "POST /stream/{id}"];
  expect([...routesServed].filter((route) => !doubles.includes(route)).sort()).toEqual(described.sort());
});

it("describes what the speech route takes", async () => {
  const speech = (document.paths["/v1/audio/speech"]?.["post"] ?? {}) as Record<string, never>;
  const text = JSON.stringify(speech);
  for (const field of ["input", "voice", "response_format", "stream_format", "seed", "scene_prompt", "ref_audio"]) {
    expect(text).toContain(`"${field}":`);
  }
  expect(text).not.toContain('"delivery":');
});
