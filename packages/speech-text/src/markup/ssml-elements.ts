/** Attributes that say nothing that changes the speech. */
const NEUTRAL_ATTRIBUTES: ReadonlySet<string> = new Set(["xml:lang", "xml:id", "id"]);

/** The elements that mean something here, with their attributes. */
const SSML_ELEMENTS: Readonly<Record<string, readonly string[]>> = {
  speak: ["version", "xml:base", "xsi:schemaLocation"],
  p: [],
  s: [],
  break: ["time", "strength"],
  sub: ["alias"],
  "say-as": ["interpret-as"],
  voice: ["name"],
};

/** Values of `interpret-as`, all of which are spelled character by character. */
const SPELLED: ReadonlySet<string> = new Set(["characters", "spell-out", "verbatim", "digits"]);

/** Silences of `strength`, in seconds; those of Microsoft's service, the only one that states them. */
const STRENGTH_SECONDS: Readonly<Record<string, number>> = {
  none: 0,
  "x-weak": 0.25,
  weak: 0.5,
  medium: 0.75,
  strong: 1,
  "x-strong": 1.25,
};

/** Longest silence of one break, as of one mark. */
const MAX_BREAK_SECONDS = 60;

/** What is wrong with an element, as the rest of a sentence that begins with its name; null for nothing. */
export function elementProblem(name: string, attributes: Readonly<Record<string, string>>): string | null {
  const known = Object.hasOwn(SSML_ELEMENTS, name) ? SSML_ELEMENTS[name] : undefined;
  if (known === undefined) {
    const list = Object.keys(SSML_ELEMENTS).join(", ");
    return `is not supported (limit ${list})`;
  }
  const unknown = Object.keys(attributes).find((attribute) => !isKnown(attribute, known));
  if (unknown !== undefined) {
    const list = known.length === 0 ? "none" : known.join(", ");
    return `has an attribute that is not supported (got ${unknown.slice(0, 40)}, limit ${list})`;
  }
  return requiredProblem(name, attributes);
}

/** Seconds of a `<break>`; a text says what is wrong with it. */
export function breakSeconds({ time, strength }: Readonly<Record<string, string>>): number | string {
  if (time === undefined) {
    const seconds = STRENGTH_SECONDS[strength ?? "medium"];
    return seconds ?? `has an unknown strength (limit ${Object.keys(STRENGTH_SECONDS).join(", ")})`;
  }
  const match = /^\s*\+?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s?(ms|s)\s*$/i.exec(time);
  if (match === null) return "has a time that cannot be read (limit a number with s or ms, such as 500ms or 1.5s)";
  const seconds = Number(match[1]) / (match[2]?.toLowerCase() === "ms" ? 1000 : 1);
  return seconds <= MAX_BREAK_SECONDS ? seconds : `is too long (got ${seconds} s, limit ${MAX_BREAK_SECONDS} s)`;
}

function requiredProblem(name: string, attributes: Readonly<Record<string, string>>): string | null {
  if (name === "break") {
    const seconds = breakSeconds(attributes);
    return typeof seconds === "string" ? seconds : null;
  }
  if (name === "sub" && attributes["alias"] === undefined) return "needs an alias";
  if (name === "voice" && (attributes["name"] ?? "").trim() === "") return "needs a name";
  if (name !== "say-as") return null;
  const value = attributes["interpret-as"];
  if (value !== undefined && SPELLED.has(value)) return null;
  const got = value === undefined ? "none" : JSON.stringify(value.slice(0, 40));
  return `has an interpret-as that is not supported (got ${got}, limit ${[...SPELLED].join(", ")})`;
}

function isKnown(attribute: string, known: readonly string[]): boolean {
  return known.includes(attribute) || NEUTRAL_ATTRIBUTES.has(attribute) || /^xmlns(?:$|:)/.test(attribute);
}
