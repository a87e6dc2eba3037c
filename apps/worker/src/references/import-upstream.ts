import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { VoiceLibrary } from "@higgs-worker/higgs-audio";
import { downloadFile, type DownloadOptions } from "./download-file.ts";
import { UPSTREAM_SOURCE, UPSTREAM_VOICES, type UpstreamFile, type UpstreamVoice } from "./upstream-voices.ts";

export interface ImportUpstreamOptions {
  readonly library: VoiceLibrary;
  /** Folder of the library that voices are added to. */
  readonly voicesDir: string;
  readonly baseUrl: string;
  readonly signal?: AbortSignal | undefined;
  readonly onVoice?: ((name: string, outcome: ImportOutcome) => void) | undefined;
  readonly download?: Pick<DownloadOptions, "attempts" | "retryMs" | "timeoutMs" | "proxies">;
  /** Only set by tests. */
  readonly voices?: readonly UpstreamVoice[];
}

/** `kept`: it was already there; `different`: another voice has the name. */
export type ImportOutcome = "imported" | "kept" | "different";

export const UPSTREAM_WARNING =
  "These clips imitate or record real people and characters of films and series. None of them is known to have agreed to\n" +
  "their voice being cloned. Do not publish speech in their voices, and do not use it to deceive; the law of your country\n" +
  "may forbid more than that. They are downloaded only for you and are not part of this software.\n";

/**
 * Downloads the sixteen clips of the reference implementation into the library, each verified by its SHA-256. Voices that
 * are there already are kept, and an interrupted import goes on where it stopped.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when a file cannot be downloaded or written
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function importUpstream(options: ImportUpstreamOptions): Promise<Readonly<Record<string, ImportOutcome>>> {
  const { voicesDir, voices = UPSTREAM_VOICES, onVoice } = options;
  const outcomes: Record<string, ImportOutcome> = {};
  for (const voice of voices) {
    const outcome = await importVoice(voice, options);
    outcomes[voice.name] = outcome;
    onVoice?.(voice.name, outcome);
  }
  await rm(partialsDir(voicesDir), { recursive: true, force: true });
  return outcomes;
}

async function importVoice(voice: UpstreamVoice, options: ImportUpstreamOptions): Promise<ImportOutcome> {
  const { library } = options;
  const present = await outcomeOfPresent(voice, library);
  if (present !== null) return present;
  const audio = await download(`${voice.name}.wav`, voice.audio, options);
  const transcript = await download(`${voice.name}.txt`, voice.transcript, options);
  try {
    await library.add({
      name: voice.name,
      audio,
      extension: ".wav",
      transcript: transcript.toString("utf8"),
      language: voice.language,
      source: UPSTREAM_SOURCE,
      license: "none is stated for the clip",
      consent: "none is known; the clip imitates or records a real person or a character",
    });
    return "imported";
  } catch (error) {
    // Another import may have been quicker.
    const other = await outcomeOfPresent(voice, library);
    if (other !== null) return other;
    throw error;
  }
}

async function outcomeOfPresent({ name, audio }: UpstreamVoice, library: VoiceLibrary): Promise<ImportOutcome | null> {
  if ((await library.find(name))?.origin !== "own") return null;
  const loaded = await library.load(name).catch(() => null);
  const hash = createHash("sha256").update(loaded?.audio ?? new Uint8Array(0));
  return hash.digest("hex") === audio.sha256 ? "kept" : "different";
}

function download(fileName: string, file: UpstreamFile, options: ImportUpstreamOptions): Promise<Buffer> {
  const { baseUrl, voicesDir, signal } = options;
  return downloadFile({
    ...options.download,
    ...file,
    url: `${baseUrl.replace(/\/+$/, "")}/${fileName}`,
    partialPath: join(partialsDir(voicesDir), `${fileName}.partial`),
    signal,
  });
}

function partialsDir(voicesDir: string): string {
  return join(voicesDir, ".import");
}
