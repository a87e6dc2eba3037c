/** How people and other services write sounds, by the tag of the model that comes nearest. */
const NEAREST: Readonly<Record<string, string>> = {
  "[laugh]":
    "laugh, laughs, laughing, laughter, laughs softly, chuckle, chuckles, chuckling, giggle, giggles, giggling, snicker, snickers, haha",
  "[cough]": "cough, coughs, coughing, clear throat, clears throat, clearing throat, throat clearing, ahem",
  "[applause]": "applause, applauds, applauding, clap, claps, clapping, audience applauds",
  "[cheering]": "cheer, cheers, cheering, crowd cheering, crowd cheers",
  "[sing start]": "sing, sings, singing, song, sing song",
  "[humming start]": "hum, hums, humming",
  "[music]": "music, music playing, music plays, background music, upbeat music, soft music",
  "[pause 1s]": "pause, pauses, short pause, long pause, silence, beat",
};

/** Sounds and ways to speak that the model has nothing like. */
const OTHERS =
  "sigh, sighs, sighing, gasp, gasps, gasping, whisper, whispers, whispering, whispered, cry, cries, crying, sob, sobs, sobbing, sniff, sniffs, sniffle, sniffles, yawn, yawns, yawning, breath, breathes, breathing, deep breath, inhale, inhales, exhale, exhales, groan, groans, moan, moans, grunt, grunts, shout, shouts, shouting, yell, yells, scream, screams, screaming, sneeze, sneezes, hiccup, hiccups, burp, burps, gulp, gulps, swallows, whistle, whistles, snore, snores, snort, snorts, growl, growls, smacks lips, excited, excitedly, angry, angrily, sad, sadly, happy, happily, sarcastic, sarcastically, curious, mischievously, nervous, nervously, softly, quietly, loudly";

const NEAREST_BY_NAME: ReadonlyMap<string, string | null> = new Map<string, string | null>([
  ...OTHERS.split(", ").map((name) => [name, null] as const),
  ...Object.entries(NEAREST).flatMap(([tag, names]) => names.split(", ").map((name) => [name, tag] as const)),
]);

/** The tag that comes nearest to a sound; null for none, undefined for what is not known as a sound. */
export function nearestSound(name: string): string | null | undefined {
  return NEAREST_BY_NAME.get(name.trim().toLowerCase());
}
