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

/** The rules for a language tag; a tag without a region has its most likely one. */
export function chooseRules(language: SpokenLanguage, tag: string): LanguageRules {
  const { region = "", script } = new Intl.Locale(tag).maximize();
  switch (language) {
    case "en":
      return english(region);
    case "de":
      return german(region);
    case "fr":
      return french(region);
    case "es":
      return spanish(region);
    case "it":
      return italian(region);
    case "pt":
      return portuguese(region);
    case "zh":
      return chinese(script === "Hant" ? "Hant" : "Hans", region);
    case "ja":
      return japanese();
    case "ko":
      return korean();
  }
}
