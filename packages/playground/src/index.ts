import { readdirSync, readFileSync } from "node:fs";

/** A file of the page. */
interface PlaygroundAsset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mimeType: string;
}

/** Headers for every file of the page: it loads nothing from elsewhere, and no other page may frame it. */
export const PLAYGROUND_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "media-src blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "permissions-policy": "microphone=(self), camera=(), geolocation=()",
  "cache-control": "no-cache",
};

const MIME_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** Two levels above this file both in `src` and in `dist`: what is served as it lies, and what the build made of the rest. */
const SOURCES = [new URL("../page/", import.meta.url), new URL("../dist/page/", import.meta.url)];

/**
 * Reads the page's files: `index.html` is for `/`, all others for `/playground/NAME`. About 60 kB.
 *
 * @throws {Error} when the page has not been built
 */
export function readPlayground(): ReadonlyMap<string, PlaygroundAsset> {
  const assets = new Map<string, PlaygroundAsset>();
  for (const folder of SOURCES) {
    for (const name of readdirSync(folder)) {
      const mimeType = MIME_TYPES[name.split(".").at(-1) ?? ""];
      if (mimeType === undefined) continue;
      assets.set(name, { bytes: new Uint8Array(readFileSync(new URL(name, folder))), mimeType });
    }
  }
  if (!assets.has("main.js")) throw new Error("the playground has not been built: run npm run build");
  return assets;
}
