import type { CurrencyWords, LanguageRules, SpokenTime, UnitWords, Words } from "../language-rules.ts";

const currency = (name: string): CurrencyWords => ({ one: name, many: name, agreement: "alone", cent: null });
const unit = (name: string): UnitWords => ({ one: name, many: name, agreement: "alone" });

/** Japanese: numbers in kanji, whose reading their counter decides. */
export function japanese(): LanguageRules {
  return {
    locale: "ja-JP",
    ruleFile: "ja",
    sets: { alone: "%spellout-cardinal", masculine: "%spellout-cardinal", feminine: "%spellout-cardinal" },
    yearSet: null,
    space: "",
    // Zero before a counter or a point is 零 (れい).
    revise: (words) => words.replaceAll("〇", "零"),
    digits: ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"],
    phoneDigits: ["ゼロ", "一", "二", "三", "四", "五", "六", "七", "八", "九"],
    comma: "点",
    point: "点",
    readsFractionAsNumber: false,
    minus: "マイナス",
    plus: "プラス",
    range: "から",
    ratio: "対",
    and: "と",
    percent: (number) => `${number}パーセント`,
    permille: (number) => `${number}パーミル`,
    links: {
      "@": "アットマーク",
      ".": "ドット",
      "/": "スラッシュ",
      "-": "ハイフン",
      _: "アンダーバー",
      ":": "コロン",
      "?": "クエスチョンマーク",
      "=": "イコール",
      "&": "アンド",
      "#": "シャープ",
      "%": "パーセント",
      "+": "プラス",
      "~": "チルダ",
    },
    isDayFirst: true,
    date: ({ year, month, day }, words) =>
      [
        year === null ? "" : `${words.cardinal(year)}年`,
        `${words.cardinal(month)}月`,
        day === null ? "" : `${words.cardinal(day)}日`,
      ].join(""),
    time,
    currencies: {
      USD: currency("ドル"),
      EUR: currency("ユーロ"),
      GBP: currency("ポンド"),
      JPY: currency("円"),
      CNY: currency("元"),
      KRW: currency("ウォン"),
      CHF: currency("スイスフラン"),
    },
    signs: { $: "USD", "¥": "JPY", "￥": "JPY" },
    cents: { join: "", areNamed: true },
    ofMillions: (noun) => noun,
    scales: { 万: ["万", "万"], 億: ["億", "億"], 兆: ["兆", "兆"], 千: ["千", "千"] },
    units: {
      "m²": unit("平方メートル"),
      "km²": unit("平方キロメートル"),
      "m³": unit("立方メートル"),
      mg: unit("ミリグラム"),
      Hz: unit("ヘルツ"),
      kHz: unit("キロヘルツ"),
      MHz: unit("メガヘルツ"),
      GHz: unit("ギガヘルツ"),
      W: unit("ワット"),
      kW: unit("キロワット"),
      kWh: unit("キロワット時"),
      V: unit("ボルト"),
    },
    feminineUnits: new Set(),
    agreement: () => "alone",
    isYear: () => false,
    fraction: (numerator, denominator, words) => `${words.cardinal(denominator)}分の${words.cardinal(numerator)}`,
    readers: () => [],
  };
}

function time({ hour, minute, second }: SpokenTime, words: Words): string {
  const minutes = minute === 0 && second === null ? "" : `${words.cardinal(minute)}分`;
  const seconds = second === null ? "" : `${words.cardinal(second)}秒`;
  return `${words.cardinal(hour)}時${minutes}${seconds}`;
}
