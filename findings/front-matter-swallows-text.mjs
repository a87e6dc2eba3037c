// markdown-it-front-matter takes a whole text for front matter when it begins with a line of dashes and nothing closes it.
// packages: markdown-it@15.0.3 markdown-it-front-matter@0.2.4
//
// A block that is not closed ends with the text, and what stands in it is not looked at. Look for the closing line, and whether
// only keys and values stand before it, before the parser sees the text.
import createMarkdown from "markdown-it";
import frontMatter from "markdown-it-front-matter";

const html = createMarkdown()
  .use(frontMatter, () => undefined)
  .render("---\n\nOnce upon a time.\n");
console.log(`rendered: ${JSON.stringify(html)}`);
const isStillSo = !html.includes("Once upon a time");
console.log(isStillSo ? "still so" : "no longer so");
process.exitCode = isStillSo ? 0 : 1;
