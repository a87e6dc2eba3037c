import { Parser } from "htmlparser2";
import { pauseMark } from "../speech-marks.ts";
import { breakSeconds } from "./ssml-elements.ts";

/**
 * A plain text with `<break time="1.5s" />` in it, as the clients of some services write, with marks in their place. All else stays
 * as it is, a tag that cannot be read too.
 *
 * @param maxSeconds longer silences are this long
 */
export function readBreakTags(text: string, { maxSeconds }: { readonly maxSeconds: number }): string {
  const parts: string[] = [];
  let start = 0;
  const replace = (from: number, to: number, mark: string): void => {
    parts.push(text.slice(start, from), mark);
    start = to;
  };
  let isReplaced = false;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (name !== "break") return;
        const seconds = breakSeconds(attributes);
        isReplaced = typeof seconds === "number";
        if (typeof seconds !== "number") return;
        const mark = seconds > 0 ? pauseMark(Math.min(seconds, maxSeconds)) : "";
        replace(parser.startIndex, parser.endIndex + 1, mark);
      },
      onclosetag: (name, isImplied) => {
        if (name === "break" && !isImplied && isReplaced) replace(parser.startIndex, parser.endIndex + 1, "");
      },
    },
    { recognizeSelfClosing: true, decodeEntities: false },
  );
  parser.end(text);
  return `${parts.join("")}${text.slice(start)}`;
}
