/** The month's name inside a date, as the language writes it there. */
export function monthName(locale: string, month: number): string {
  const parts = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", timeZone: "UTC" }).formatToParts(
    new Date(Date.UTC(2024, month - 1, 1)),
  );
  return parts.find(({ type }) => type === "month")?.value ?? "";
}

/** Names and the usual abbreviations of the months, in lower case, with their number 1 … 12. */
export function monthNumbers(locale: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (let month = 1; month <= 12; month += 1) {
    const long = monthName(locale, month).toLowerCase();
    numbers.set(long, month);
    const short = new Intl.DateTimeFormat(locale, { month: "short", timeZone: "UTC" })
      .format(new Date(Date.UTC(2024, month - 1, 1)))
      .toLowerCase()
      .replace(/\.$/u, "");
    for (const name of [short, long.slice(0, 3)]) if (!numbers.has(name)) numbers.set(name, month);
  }
  return numbers;
}

/** For a pattern: the months, longest first. */
export function monthPattern(months: ReadonlyMap<string, number>): string {
  return [...months.keys()].toSorted((a, b) => b.length - a.length).join("|");
}
