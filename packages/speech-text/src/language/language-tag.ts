/** Languages whose numbers can be spelled out. */
export const SPOKEN_LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "zh", "ja", "ko"] as const;

export type SpokenLanguage = (typeof SPOKEN_LANGUAGES)[number];

export function isSpokenLanguage(language: string): language is SpokenLanguage {
  return (SPOKEN_LANGUAGES as readonly string[]).includes(language);
}

/** The canonical form of a BCP 47 tag, or null when it is none. */
export function canonicalLanguage(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}
