import type { Hono } from "hono";
import type { HttpEnvironment } from "runpod-worker/http";
import { createDoorApp, refuseForeign } from "../door-app.ts";
import type { DoorParts } from "../door-parts.ts";
import { answerOpenAiFailure } from "../openai/openai-error.ts";
import { openApiDocument } from "./document.ts";

/** `GET /openapi.json`, open without a key: programs read it to learn that there is one. */
export function createOpenApiDoor({ host, logger, config }: DoorParts): Hono<HttpEnvironment> {
  const app = createDoorApp({ logger, answerFailure: answerOpenAiFailure });
  app.get("/openapi.json", refuseForeign(host.access), (context) => context.json(openApiDocument(config)));
  return app;
}
