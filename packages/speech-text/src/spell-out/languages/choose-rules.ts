import type { SpokenLanguage } from "../../language/language-tag.ts";
import type { LanguageRules } from "../language-rules.ts";
import { chinese } from "./chinese.ts";
import { english } from "./english.ts";
import { french } from "./french.ts";
import { german } from "./german.ts";
import { italian } from "./italian.ts";
import { japanese } from "./japanese.ts";
import { korean } from "./korean.ts";
import { portuguese } from "./portuguese.ts";
import { spanish } from "./spanish.ts";

interface TagParts {
  readonly region: string;
  readonly script: string;
}

const RULES: Readonly<Record<SpokenLanguage, (parts: TagParts) => LanguageRules>> = {
  en: ({ region }) => english(region),
  de: ({ region }) => german(region),
  fr: ({ region }) => french(region),
  es: ({ region }) => spanish(region),
  it: ({ region }) => italian(region),
  pt: ({ region }) => portuguese(region),
  zh: ({ region, script }) => chinese(script === "Hant" ? "Hant" : "Hans", region),
  ja: () => japanese(),
  ko: () => korean(),
};

/** The rules for a language tag; a tag without a region has its most likely one. */
export function chooseRules(language: SpokenLanguage, tag: string): LanguageRules {
  const { region = "", script = "" } = new Intl.Locale(tag).maximize();
  return RULES[language]({ region, script });
}
