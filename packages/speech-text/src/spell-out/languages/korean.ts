import type { CurrencyWords, LanguageRules, SpokenTime, UnitWords, Words } from "../language-rules.ts";

const NATIVE = "%spellout-cardinal-native-attributive";

/** Counted with native numbers up to 99. */
const NATIVE_COUNTERS =
  /^(?:시간|시(?!즌|리즈|대|월|점)|개(?!월|년|국)|명(?!령)|사람|살|마리|권|잔|병(?!원)|장|대(?!륙|학)|번(?!지|호)|가지|달(?!러)|그루|송이|켤레|채|벌|곳|배(?!럴)|군데|통(?!화)|판|줄|모금|걸음|차례|쌍|조각|그릇|봉지|자루|다발|끼)/u;

const currency = (name: string): CurrencyWords => ({ one: name, many: name, agreement: "alone", cent: null });
const unit = (name: string): UnitWords => ({ one: name, many: name, agreement: "alone" });

/** Korean: Sino-Korean numbers, native ones before the counters that want them. */
export function korean(): LanguageRules {
  return {
    locale: "ko-KR",
    ruleFile: "ko",
    sets: {
      alone: "%spellout-cardinal-sinokorean",
      masculine: "%spellout-cardinal-sinokorean",
      // Before a native counter.
      feminine: NATIVE,
    },
    yearSet: null,
    space: " ",
    joinsDigits: true,
    digits: ["영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"],
    phoneDigits: ["공", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"],
    comma: "점",
    point: "점",
    readsFractionAsNumber: false,
    minus: "마이너스",
    plus: "플러스",
    range: "에서 ",
    ratio: " 대 ",
    and: "과",
    percent: (number) => `${number} 퍼센트`,
    permille: (number) => `${number} 퍼밀`,
    links: {
      "@": "골뱅이",
      ".": "점",
      "/": "슬래시",
      "-": "하이픈",
      _: "밑줄",
      ":": "콜론",
      "?": "물음표",
      "=": "등호",
      "&": "앤드",
      "#": "샵",
      "%": "퍼센트",
      "+": "플러스",
      "~": "물결표",
    },
    isDayFirst: true,
    date: ({ year, month, day }, words) =>
      [
        year === null ? "" : `${words.cardinal(year)}년`,
        `${monthWords(month, words)}월`,
        day === null ? "" : `${words.cardinal(day)}일`,
      ]
        .filter((part) => part !== "")
        .join(" "),
    time,
    currencies: {
      USD: currency("달러"),
      EUR: currency("유로"),
      GBP: currency("파운드"),
      JPY: currency("엔"),
      CNY: currency("위안"),
      KRW: currency("원"),
      CHF: currency("스위스 프랑"),
    },
    signs: { $: "USD", "¥": "JPY" },
    cents: { join: " ", areNamed: true },
    ofMillions: (noun) => noun,
    scales: { 만: ["만", "만"], 억: ["억", "억"], 조: ["조", "조"], 천: ["천", "천"] },
    units: {
      "m²": unit("제곱미터"),
      "km²": unit("제곱킬로미터"),
      "m³": unit("세제곱미터"),
      mg: unit("밀리그램"),
      Hz: unit("헤르츠"),
      kHz: unit("킬로헤르츠"),
      MHz: unit("메가헤르츠"),
      GHz: unit("기가헤르츠"),
      W: unit("와트"),
      kW: unit("킬로와트"),
      kWh: unit("킬로와트시"),
      V: unit("볼트"),
    },
    feminineUnits: new Set(),
    agreement: () => "alone",
    isYear: () => false,
    fraction: (numerator, denominator, words) => `${words.cardinal(denominator)}분의 ${words.cardinal(numerator)}`,
    readers: (words) => [
      {
        pattern: /(\d{1,12}) ?번째/uy,
        say: ([, digits = ""]) => words.bySet(Number(digits), "%spellout-ordinal-native-count"),
      },
      { pattern: /(?<=제 ?)(\d{1,12})/uy, say: ([, digits = ""]) => words.cardinal(Number(digits)) },
      // June and October have forms of their own: 유월, 시월.
      {
        pattern: /(6|10)(?=월(?!드))/uy,
        say: ([, digits = ""]) => monthWords(Number(digits), words),
      },
      {
        pattern: /(\d{1,2})( ?)(?=[가-힣])/uy,
        say: (match) => {
          const [whole, digits = ""] = match;
          const counter = match.input.slice(match.index + whole.length, match.index + whole.length + 6);
          const value = Number(digits);
          if (value === 0 || !NATIVE_COUNTERS.test(counter)) return null;
          // Hours beyond twelve are Sino-Korean, and so are ages by decades.
          if (counter.startsWith("대") && value % 10 === 0) return null;
          if (/^시(?!간)/u.test(counter) && value > 12) return `${words.cardinal(value)} `;
          return `${words.bySet(value, NATIVE)} `;
        },
      },
    ],
  };
}

function monthWords(month: number, words: Words): string {
  if (month === 6) return "유";
  return month === 10 ? "시" : words.cardinal(month);
}

function time({ hour, minute, second }: SpokenTime, words: Words): string {
  const hours = hour >= 1 && hour <= 12 ? words.bySet(hour, NATIVE) : words.cardinal(hour);
  const minutes = minute === 0 && second === null ? "" : ` ${words.cardinal(minute)} 분`;
  return `${hours} 시${minutes}${second === null ? "" : ` ${words.cardinal(second)} 초`}`;
}
