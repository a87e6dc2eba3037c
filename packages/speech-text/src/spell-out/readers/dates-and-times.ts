import type { SpokenDate, SpokenTime } from "../language-rules.ts";
import type { NumberWords } from "../number-words.ts";
import { SPACES } from "../number-syntax.ts";
import type { Reader } from "../reader.ts";

/** Two-digit years from here on are of the last century. */
const LAST_CENTURY_FROM = 70;

/** 2024-03-15, 15.03.2024, 3/15/2024, 14:30, 2:30 pm. */
export function dateAndTimeReaders(words: NumberWords): readonly Reader[] {
  const { rules } = words;
  return [
    {
      pattern: /(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d\p{Script=Latin}]|[-/.]\d)/uy,
      say: ([, year = "", , month = "", day = ""], place) => {
        const date = checkedDate(Number(year), Number(month), Number(day));
        return date === null ? null : rules.date(date, words, place);
      },
    },
    {
      pattern: /(\d{1,2})(?:([./])(\d{1,2})\2(\d{4}|\d{2})|-(\d{1,2})-(\d{4}))(?![\d\p{Script=Latin}]|[-/.:,]\d)/uy,
      say: ([, first = "", sign, second, year, secondByDash = "", yearByDash = ""], place) => {
        const isDayFirst = sign === "." || rules.isDayFirst;
        const date = dateOf(Number(first), Number(second ?? secondByDash), fullYear(year ?? yearByDash), isDayFirst);
        return date === null ? null : rules.date(date, words, place);
      },
    },
    ...(rules.timePattern === undefined ? [] : [ownTimeReader(rules.timePattern, words)]),
    {
      pattern: new RegExp(
        `([01]?\\d|2[0-4]):([0-5]\\d)(?::([0-5]\\d))?(?:[${SPACES}]?([ap])\\.?m\\.?(?!\\p{L}))?(?![\\d:\\p{Script=Latin}])`,
        "iuy",
      ),
      say: ([, hour = "", minute = "", second, half]) =>
        sayTime({ hour, minute, second, half: half?.toLowerCase() }, words),
    },
    {
      pattern: new RegExp(`(1[0-2]|0?[1-9])[${SPACES}]?([ap])\\.?m\\.?(?![\\p{L}\\d])`, "iuy"),
      say: ([, hour = "", half]) => sayTime({ hour, minute: "0", second: undefined, half: half?.toLowerCase() }, words),
    },
  ];
}

/** Groups 1 to 3 are hour, minute and second; a fourth is an hour alone. */
function ownTimeReader(pattern: RegExp, words: NumberWords): Reader {
  return {
    pattern,
    say: ([, hour, minute = "0", second, hourAlone]) =>
      sayTime({ hour: hour ?? hourAlone ?? "", minute, second, half: undefined }, words),
  };
}

interface WrittenTime {
  readonly hour: string;
  readonly minute: string;
  readonly second: string | undefined;
  readonly half: string | undefined;
}

/** In English with its half of the day, elsewhere by 24 hours. */
function sayTime({ hour, minute, second, half }: WrittenTime, words: NumberWords): string | null {
  const isEnglish = words.rules.locale.startsWith("en");
  const isHalved = half !== undefined;
  const value = Number(hour);
  if (isHalved && (value < 1 || value > 12)) return null;
  const time: SpokenTime = {
    hour: isHalved && !isEnglish ? (value % 12) + (half === "p" ? 12 : 0) : value,
    minute: Number(minute),
    second: second === undefined ? null : Number(second),
    half: isHalved && isEnglish ? (half === "p" ? "pm" : "am") : null,
  };
  return words.rules.time(time, words);
}

function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 4) return year;
  return year + (year >= LAST_CENTURY_FROM ? 1900 : 2000);
}

/** The other order where only that one is a date. */
function dateOf(first: number, second: number, year: number, isDayFirst: boolean): SpokenDate | null {
  const [day, month] = isDayFirst ? [first, second] : [second, first];
  return checkedDate(year, month, day) ?? checkedDate(year, day, month);
}

function checkedDate(year: number, month: number, day: number): SpokenDate | null {
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
  return isDate ? { year, month, day } : null;
}
