import type { CurrencyWords, LanguageRules, SpokenTime, UnitWords, Words } from "../language-rules.ts";

/** Behind these, two things are 两 and not 二. Days of a month, months and floors are counted with 二. */
const MEASURE_WORDS =
  /^(?:个|個|只|隻|本|张|張|位|名|次|条|條|件|天|年|周|週|小时|小時|分钟|分鐘|秒|公里|公斤|千米|厘米|毫米|米|千克|克|吨|噸|升|人|岁|歲|块|塊|元|美元|欧元|歐元|点|點|倍|种|種|家|间|間|杯|瓶|台|臺|辆|輛|双|雙|套|层|層|万|萬|千|亿|億|把|头|頭|匹|封|幅|首|句|段|篇|部|座|所|口|棵|朵|片|顿|頓|场|場|页頁|分之|星期|个月|個月|百)/u;

const SIMPLE_DIGITS = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/** Standard Chinese, in simplified or traditional characters. */
export function chinese(script: "Hans" | "Hant", region: string): LanguageRules {
  const isTraditional = script === "Hant";
  const pick = (simplified: string, traditional: string): string => (isTraditional ? traditional : simplified);
  const point = pick("点", "點");
  const minute = "分";
  const currency = (name: string): CurrencyWords => ({ one: name, many: name, agreement: "masculine", cent: null });
  const unit = (name: string): UnitWords => ({ one: name, many: name, agreement: "masculine" });
  return {
    locale: `zh-${script}-${region}`,
    ruleFile: isTraditional ? "zh-Hant" : "zh",
    sets: {
      alone: "%spellout-cardinal",
      // Before a measure word.
      masculine: "%spellout-cardinal-alternate2",
      feminine: "%spellout-cardinal-alternate2",
    },
    yearSet: "%spellout-numbering-year",
    space: "",
    ...(isTraditional ? {} : { trillion: "万亿" }),
    digits: SIMPLE_DIGITS,
    // One is 幺 in telephone numbers of the mainland, since 一 and 七 sound alike.
    phoneDigits: isTraditional ? SIMPLE_DIGITS : ["零", "幺", ...SIMPLE_DIGITS.slice(2)],
    comma: point,
    point,
    readsFractionAsNumber: false,
    minus: pick("负", "負"),
    plus: pick("加", "加"),
    range: "到",
    ratio: "比",
    and: "又",
    percent: (number) => `百分之${number}`,
    permille: (number) => `千分之${number}`,
    links: {
      "@": "艾特",
      ".": point,
      "/": pick("斜杠", "斜線"),
      "-": pick("横杠", "橫線"),
      _: pick("下划线", "底線"),
      ":": pick("冒号", "冒號"),
      "?": pick("问号", "問號"),
      "=": pick("等于", "等於"),
      "&": "和",
      "#": pick("井号", "井號"),
      "%": pick("百分号", "百分號"),
      "+": pick("加号", "加號"),
      "~": pick("波浪号", "波浪號"),
    },
    isDayFirst: true,
    date: ({ year, month, day }, words) =>
      [
        year === null ? "" : `${year >= 1000 ? words.digits(String(year), yearDigits) : words.year(year)}年`,
        `${words.cardinal(month)}月`,
        day === null ? "" : `${words.cardinal(day)}日`,
      ].join(""),
    time: (time, words) => timeWords(time, words, point, minute),
    currencies: {
      USD: currency("美元"),
      EUR: currency(pick("欧元", "歐元")),
      GBP: currency(pick("英镑", "英鎊")),
      JPY: currency(pick("日元", "日圓")),
      CNY: currency(pick("元", "人民幣")),
      TWD: currency("元"),
      KRW: currency(pick("韩元", "韓元")),
      CHF: currency("瑞士法郎"),
    },
    signs: { $: isTraditional && region === "TW" ? "TWD" : "USD", "¥": "CNY", "￥": "CNY" },
    cents: { join: "", areNamed: true },
    ofMillions: (noun) => noun,
    scales: {
      万: ["万", "万"],
      萬: ["萬", "萬"],
      亿: ["亿", "亿"],
      億: ["億", "億"],
      千: ["千", "千"],
      百万: ["百万", "百万"],
    },
    units: {
      "m²": unit("平方米"),
      "km²": unit("平方公里"),
      "m³": unit("立方米"),
      mg: unit("毫克"),
      kg: unit("公斤"),
      Hz: unit(pick("赫兹", "赫茲")),
      kHz: unit(pick("千赫兹", "千赫茲")),
      MHz: unit(pick("兆赫兹", "兆赫茲")),
      GHz: unit(pick("吉赫兹", "吉赫茲")),
      W: unit("瓦"),
      kW: unit("千瓦"),
      kWh: unit(pick("千瓦时", "千瓦時")),
      V: unit("伏"),
    },
    feminineUnits: new Set(),
    agreement: (value, after) => (value >= 100 || MEASURE_WORDS.test(after) ? "masculine" : "alone"),
    isYear: () => false,
    fraction: (numerator, denominator, words) => `${words.cardinal(denominator)}分之${words.cardinal(numerator)}`,
    readers: (words) => [
      // Years digit by digit, others as a count: 2年 is two years.
      { pattern: /(\d{4})(?=年)/uy, say: ([, digits = ""]) => words.digits(digits, yearDigits) },
      {
        pattern: /(\d{1,2})(?=[月日号號])(?!\d{1,2}(?:个|個))/uy,
        say: ([, digits = ""]) => words.cardinal(Number(digits)),
      },
      { pattern: /第(\d{1,12})/uy, say: ([, digits = ""]) => `第${words.cardinal(Number(digits))}` },
      { pattern: /(?<=第)(\d{1,12})/uy, say: ([, digits = ""]) => words.cardinal(Number(digits)) },
      {
        pattern: /(\d{1,2})[点點](\d{1,2})(?=分)/uy,
        say: ([, hour = "", minutes = ""]) =>
          `${hourWords(Number(hour), words)}${point}${words.cardinal(Number(minutes))}`,
      },
      { pattern: /(\d+)(?=[号號]?[楼樓])/uy, say: ([, digits = ""]) => words.integer(digits) },
    ],
  };
}

const yearDigits = ["〇", ...SIMPLE_DIGITS.slice(1)];

function hourWords(hour: number, words: Words): string {
  return words.cardinal(hour, "masculine");
}

function timeWords({ hour, minute, second }: SpokenTime, words: Words, point: string, minuteName: string): string {
  const zero = minute < 10 && minute > 0 ? "零" : "";
  const minutes = minute === 0 && second === null ? "" : `${zero}${words.cardinal(minute)}${minuteName}`;
  return `${hourWords(hour, words)}${point}${minutes}${second === null ? "" : `${words.cardinal(second)}秒`}`;
}
