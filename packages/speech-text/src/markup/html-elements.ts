/** Elements whose content nobody sees or reads: programs, styles, other media, fields of forms, and readings of ruby. */
export const SILENT_ELEMENTS: ReadonlySet<string> = new Set(
  [
    "head script style template noscript iframe object embed applet audio video canvas svg map",
    "select datalist textarea button input progress meter rp rt annotation annotation-xml",
  ].flatMap((names) => names.split(" ")),
);

/** Elements that are no blocks for a browser's default style but stand for themselves, or are blocks. */
export const PARAGRAPH_ELEMENTS: ReadonlySet<string> = new Set(
  [
    "html body main section article aside nav header footer address div p blockquote pre figure form fieldset",
    "details dialog center hgroup search table ul ol menu dl",
  ].flatMap((names) => names.split(" ")),
);

/** Elements that begin a line of their own. */
export const LINE_ELEMENTS: ReadonlySet<string> = new Set(
  "li dt dd figcaption caption summary legend option".split(" "),
);

export const HEADING_ELEMENTS: ReadonlySet<string> = new Set("h1 h2 h3 h4 h5 h6".split(" "));

/** What a table is made of; each ends the cell before it. */
export const TABLE_PARTS: ReadonlySet<string> = new Set("caption colgroup thead tbody tfoot tr td th".split(" "));

/** Whether an element is there but not shown. */
export function isHidden(attributes: Readonly<Record<string, string>>): boolean {
  if (attributes["hidden"] !== undefined || attributes["aria-hidden"] === "true") return true;
  const style = (attributes["style"] ?? "").toLowerCase();
  return style.split(";").some((declaration) => {
    const [property = "", value = ""] = declaration.split(":").map((part) => part.trim());
    return (
      (property === "display" && value.startsWith("none")) || (property === "visibility" && value.startsWith("hidden"))
    );
  });
}
