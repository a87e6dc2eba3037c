import type { VoiceLibrary } from "@higgs-worker/higgs-audio";
import type { OpenAiVoices } from "./voice-table.ts";

/** All voices that a request may name; with `isLegacy` the names alone. */
export async function voiceList(voices: OpenAiVoices, library: VoiceLibrary, isLegacy: boolean) {
  const names = await voices.names();
  if (isLegacy) return { voices: names };
  const known = new Map((await library.list()).voices.map((voice) => [voice.name, voice]));
  return {
    voices: names.map((name) => {
      const { description = null, language = null, origin = "alias" } = known.get(name) ?? {};
      return { id: name, name, object: "audio.voice", description, language, source: origin };
    }),
  };
}
