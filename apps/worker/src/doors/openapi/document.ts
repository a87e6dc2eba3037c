import { jobInputSchema } from "../../job/describe-fields.ts";
import { VERSION } from "../../version.ts";
import { openAiPaths, OPENAI_SCHEMAS } from "./openai-paths.ts";
import { type ApiLimits, type JsonObject, type Paths, ref } from "./parts.ts";
import { RUNPOD_SCHEMAS, runPodPaths } from "./runpod-paths.ts";

/**
 * The HTTP API as OpenAPI 3.1. The fields of a job come from their table; everything that the doors serve is in it, which a test
 * compares with the routes themselves.
 */
export function openApiDocument(limits: ApiLimits): JsonObject {
  const input = jobInputSchema(limits);
  const paths: Paths = { ...runPodPaths(), ...openAiPaths(limits, input), ...ownPath() };
  return {
    openapi: "3.1.0",
    info: {
      title: "Higgs Audio V2 worker",
      version: VERSION,
      description: "Text to speech and voice cloning. Built with Higgs Audio V2.",
      license: { name: "MIT", identifier: "MIT" },
    },
    security: [{ key: [] }, {}],
    paths,
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "HIGGS_API_KEY, where the server has one" },
      },
      schemas: { JobInput: input, ...RUNPOD_SCHEMAS, ...OPENAI_SCHEMAS },
    },
  };
}

function ownPath(): Paths {
  const document = { description: "This document", content: { "application/json": { schema: { type: "object" } } } };
  const refused = {
    description: "From a web page of another origin",
    content: { "application/json": { schema: ref("OpenAiError") } },
  };
  return {
    "/openapi.json": {
      get: {
        operationId: "describe",
        summary: "This document",
        security: [{}],
        responses: { "200": document, "403": refused },
      },
    },
  };
}
