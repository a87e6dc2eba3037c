import type { AudioFormat } from "@higgs-worker/audio";
import { listScenePresets } from "@higgs-worker/higgs-audio";
import { PLAYGROUND_HEADERS, readPlayground } from "@higgs-worker/playground";
import { Hono } from "hono";
import type { HttpEnvironment } from "runpod-worker/http";
import { refuseForeign } from "./door-app.ts";
import type { DoorParts } from "./door-parts.ts";

/** What the page shows about the server, to anyone. */
interface PlaygroundFacts {
  readonly model: string;
  readonly needsKey: boolean;
  readonly scenes: readonly string[];
  readonly formats: readonly AudioFormat[];
  readonly note: string | null;
}

const DEMO_NOTE = "The demo model speaks: it reads English only, and says nothing about the voice of the real model.";

/** What browsers can play. MP3 comes first, because they play it while it arrives. */
const PAGE_FORMATS: readonly AudioFormat[] = ["mp3", "opus", "flac", "wav"];

/**
 * The playground: `GET /` for browsers, which ask for HTML, and its files below `/playground/`. The page is open, since it holds
 * nothing of the server; what it calls needs the key as ever.
 */
export function createPlaygroundDoor({ host, isDemo }: DoorParts): Hono<HttpEnvironment> {
  const app = new Hono<HttpEnvironment>();
  app.get("/", (context, next) => {
    const wantsPage = (context.req.header("accept") ?? "").includes("text/html");
    return wantsPage ? Promise.resolve(fileOf("index.html")) : next();
  });
  app.use("/playground/facts.json", refuseForeign(host.access));
  app.get("/playground/facts.json", async (context) => context.json(await factsOf()));
  app.get("/playground/:file", (context) => fileOf(context.req.param("file")));
  return app;

  async function factsOf(): Promise<PlaygroundFacts> {
    return {
      model: isDemo() ? "the demo model" : "text to speech on this server",
      needsKey: host.access.apiKey !== undefined,
      scenes: await listScenePresets(),
      formats: PAGE_FORMATS,
      note: isDemo() ? DEMO_NOTE : null,
    };
  }
}

let assets: ReturnType<typeof readPlayground> | undefined;

/** A file of the page; they are read on the first request and stay in memory. */
function fileOf(name: string): Response {
  assets ??= readPlayground();
  const asset = assets.get(name);
  if (asset === undefined) return new Response("not found", { status: 404, headers: { ...PLAYGROUND_HEADERS } });
  return new Response(asset.bytes, { headers: { ...PLAYGROUND_HEADERS, "content-type": asset.mimeType } });
}
