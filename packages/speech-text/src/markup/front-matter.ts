/** A line of YAML between two keys and values, as blogs and notes begin with. */
const KEY = /^[\w"'][\w"' .-]{0,100}:(?:\s|$)/;
const CONTINUED = /^(?:\s|-\s|#|$)/;

/**
 * A Markdown text without the data that blogs and notes put before it: between two lines of `---`, nothing but keys with values.
 * What only begins with a line across the page stays whole.
 */
export function withoutFrontMatter(markdown: string): string {
  const text = markdown.startsWith("\uFEFF") ? markdown.slice(1) : markdown;
  const [first = "", ...lines] = text.split("\n");
  if (first.trimEnd() !== "---" || !KEY.test(lines[0] ?? "")) return markdown;
  const end = lines.findIndex((line) => /^(?:---|\.\.\.)\s*$/.test(line));
  if (end === -1 || !lines.slice(0, end).every((line) => KEY.test(line) || CONTINUED.test(line))) return markdown;
  return lines.slice(end + 1).join("\n");
}
