const BEGIN = /^<!-- Generated from .*-->$/m;
const END = "<!-- End of the generated part. -->";

/**
 * A document with the part between its markers replaced.
 *
 * @throws {Error} when the document has no such part
 */
export function withGeneratedPart(document: string, content: string): string {
  const begin = BEGIN.exec(document);
  const end = document.indexOf(END);
  if (begin === null || end < begin.index) throw new Error("Cannot write the generated part: its markers are missing");
  const head = document.slice(0, begin.index + begin[0].length);
  return `${head}\n${content}\n\n${document.slice(end)}`;
}
