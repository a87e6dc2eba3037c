/** One exported name with its documentation and its declaration, as the compiler writes them into a `.d.ts` file. */
export interface Declaration {
  readonly name: string;
  /** Text of the doc comment without its frame. */
  readonly documentation: string;
  /** The declaration without bodies, private members and `declare`. */
  readonly code: string;
}

/** A name that an index file exports, and the module it comes from. */
export interface ExportedName {
  readonly name: string;
  readonly module: string;
}

/** Reads `export { a, type B } from "./x.ts"` statements; other statements do not count. */
export function exportedNames(indexSource: string): readonly ExportedName[] {
  return [...indexSource.matchAll(/export (?:type )?\{([^}]*)\} from "([^"]+)"/g)].flatMap(
    ([, list = "", module = ""]) =>
      list
        .split(",")
        .map((item) => item.trim().replace(/^type /, ""))
        .filter((name) => name !== "")
        .map((name) => ({ name, module })),
  );
}

const COMMENT = String.raw`(?:/\*\*(?<comment>(?:[^*]|\*(?!/))*)\*/\s*)?`;

/**
 * Finds a declaration in the text of a `.d.ts` file.
 *
 * @throws {Error} when it is not there
 */
export function findDeclaration(source: string, name: string): Declaration {
  const head = new RegExp(
    `${COMMENT}export (?:declare )?(?:abstract )?(?:interface|type|class|function|const) ${name}\\b`,
  );
  const match = head.exec(source);
  if (match === null) throw new Error(`Cannot find the declaration of ${name}`);
  const comment = match.groups?.["comment"] ?? "";
  const start = match.index + match[0].lastIndexOf("export ");
  const code = source
    .slice(start, endOfDeclaration(source, start))
    .replace(/^export (?:declare )?/, "")
    .replace(/^ *(?:#private;|private .*;)\n/gm, "");
  return { name, documentation: textOfComment(comment), code };
}

/** A declaration ends with its closing brace, or with a semicolon outside of all brackets. */
function endOfDeclaration(source: string, start: number): number {
  const isBlock = /^export (?:declare )?(?:abstract )?(?:interface|class) /.test(source.slice(start, start + 60));
  let depth = 0;
  for (let index = start; index < source.length; index += 1) {
    const character = source[index] ?? "";
    if (source.startsWith("/*", index)) index = source.indexOf("*/", index) + 1;
    else if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (depth === 0 && character === (isBlock ? "}" : ";")) return index + 1;
  }
  throw new Error("Cannot find the end of a declaration");
}

function textOfComment(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trimEnd())
    .join("\n")
    .trim();
}
