import { sniffAudio } from "@higgs-worker/audio";

/** Extensions of files by what they hold; a format without one of its own has one that the voice library takes. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  wav: ".wav",
  w64: ".wav",
  aiff: ".aiff",
  caf: ".caf",
  au: ".au",
  flac: ".flac",
  mp3: ".mp3",
  aac: ".aac",
  "mpeg-ts": ".aac",
  mp4: ".m4a",
  webm: ".webm",
  "ogg-opus": ".opus",
  "ogg-vorbis": ".ogg",
  "ogg-flac": ".ogg",
};

/** The extension for audio whose name says nothing, with the dot; what is in the file is always decided by its content. */
export function audioExtensionOf(bytes: Uint8Array): string {
  const sniffed = sniffAudio(bytes);
  return ("format" in sniffed ? EXTENSIONS[sniffed.format] : undefined) ?? ".wav";
}
