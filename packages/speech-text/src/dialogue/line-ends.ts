/** What people's programs end lines with, besides `\n`: old Macs, word processors (`\v`, U+2028, U+2029), mainframes, printers. */
const OTHER_LINE_ENDS = /\r\n?|[\v\f\u0085\u2028]|\u2029/g;

export interface LineEndReading {
  /** Lines end with `\n`; a paragraph separator (U+2029) is an empty line. */
  readonly text: string;
  /** Line ends that the model's own rules would take for blanks. */
  readonly unusual: number;
}

export function readLineEnds(text: string): LineEndReading {
  let unusual = 0;
  const read = text.replaceAll(OTHER_LINE_ENDS, (end) => {
    if (end !== "\r\n") unusual++;
    return end === "\u2029" ? "\n\n" : "\n";
  });
  return { text: read, unusual };
}
