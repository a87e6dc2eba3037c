import { SPOKEN_LANGUAGES, type SpokenLanguage } from "./language-tag.ts";

/** What a text is written in. */
export interface DetectedLanguage {
  /** ISO 639-1, for Chinese in traditional characters `zh-Hant`. */
  readonly language: string;
  /** Whether the text is long and clear enough that it hardly is another one. */
  readonly isReliable: boolean;
}

/** As much of a text as the detector gets: more does not change its mind. */
const MAX_DETECTED_CHARS = 4000;

/** With fewer letters the words of a text do not tell its language among sixty. */
const MIN_RELIABLE_LETTERS = 24;

const MARKS = /\[[^\][\n]{0,200}\]|<[^<>\n]{0,40}>/gu;

/** Characters whose simplified forms differ, frequent ones of either script. */
const TRADITIONAL =
  /[這個們來說時國為會對後發經過還沒麼樣開關學習語話請謝買賣車門間點萬億員長東樂書見實現應該讓認識聽電腦動機氣體級號樓層價錢費電話達馬鳥魚龍]/gu;
const SIMPLIFIED =
  /[这个们来说时国为会对后发经过还没么样开关学习语话请谢买卖车门间点万亿员长东乐书见实现应该让认识听电脑动机气体级号楼层价钱费达马鸟鱼龙]/gu;

/**
 * The language of a text, or null when nothing tells it. Scripts that one language uses decide at once: Hangul is Korean,
 * Kana is Japanese, Han without Kana is Chinese. Other texts are told by their letter sequences; a short one in Latin letters is
 * compared with the languages that can be spelled out only, and is never reliable.
 */
export async function detectLanguage(text: string): Promise<DetectedLanguage | null> {
  const plain = text.slice(0, MAX_DETECTED_CHARS).replaceAll(MARKS, " ");
  return byScript(plain) ?? (await byLetters(plain));
}

function byScript(text: string): DetectedLanguage | null {
  const letters = count(text, /\p{L}/gu);
  const hangul = count(text, /\p{Script=Hangul}/gu);
  const kana = count(text, /[\p{Script=Hiragana}\p{Script=Katakana}]/gu);
  const han = count(text, /\p{Script=Han}/gu);
  // One character of these scripts is a word; names in Latin letters may stand between them.
  if (letters === 0 || (hangul + kana + han) * 3 < letters) return null;
  if (hangul > kana + han) return { language: "ko", isReliable: true };
  if (kana > 0) return { language: "ja", isReliable: true };
  if (han === 0) return { language: "ko", isReliable: true };
  const isTraditional = count(text, TRADITIONAL) > count(text, SIMPLIFIED);
  return { language: isTraditional ? "zh-Hant" : "zh", isReliable: han > 3 };
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function isSpokenLanguage(language: string): boolean {
  return (SPOKEN_LANGUAGES as readonly string[]).includes(language);
}

interface Detectors {
  readonly all: Detector;
  readonly spoken: Detector;
}

interface Detector {
  detect(text: string): { readonly language: string; isReliable(): boolean };
}

let detectors: Promise<Detectors> | null = null;

async function byLetters(text: string): Promise<DetectedLanguage | null> {
  const letters = count(text, /\p{L}/gu);
  if (letters === 0) return null;
  detectors ??= loadDetectors();
  const { all, spoken } = await detectors;
  const found = all.detect(text);
  // Letters that none of the languages uses that can be spelled out: however short the text is, it is none of them.
  if (count(text, /\p{Script=Latin}/gu) * 2 < letters && !isSpokenLanguage(found.language) && found.language !== "") {
    return { language: found.language, isReliable: true };
  }
  if (letters >= MIN_RELIABLE_LETTERS && found.language !== "" && found.isReliable()) {
    return { language: found.language, isReliable: true };
  }
  const { language } = spoken.detect(text);
  return language === "" ? null : { language, isReliable: false };
}

/** Loads the smallest of the detector's data sets: the larger ones are no better at short texts. */
async function loadDetectors(): Promise<Detectors> {
  const { eld } = await import("eld/extrasmall");
  const spoken = eld.newInstance();
  spoken.setLanguageSubset([...SPOKEN_LANGUAGES] satisfies SpokenLanguage[]);
  return { all: eld.newInstance(), spoken };
}
