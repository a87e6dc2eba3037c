/** Longest name of a voice in characters, and in bytes of UTF-8 so that it fits a file name beside its extension. */
const MAX_NAME_CHARS = 64;
const MAX_NAME_BYTES = 200;

/** What a name is made of: letters, digits, dashes and underscores of any script; no separators, dots or commas. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*$/u;

/** Names that Windows keeps for devices. */
const DEVICE_NAME = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/** One spelling for names that look the same: Unicode's composed form, without spaces around it. */
export function normalizeVoiceName(name: string): string {
  return name.normalize("NFC").trim();
}

/** Why a normalized name is not a valid name of a voice, as the end of a sentence; null when it is valid. */
export function voiceNameProblem(name: string): string | null {
  if (name === "") return "the name is empty";
  const characters = Array.from(name).length;
  if (characters > MAX_NAME_CHARS || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    return `the name is too long (got ${characters} characters, limit ${MAX_NAME_CHARS})`;
  }
  if (!NAME.test(name)) return "the name may hold letters, digits, dashes and underscores only";
  return DEVICE_NAME.test(name) ? "the name is reserved for a device on some systems" : null;
}
