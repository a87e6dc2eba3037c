import { parseSync } from "oxc-parser";

export interface ImportedName {
  /** As written between the quotes. */
  readonly specifier: string;
  readonly line: number;
}

/** Every module that a source names: imports, re-exports, type imports and `import()` with a literal. */
export function readImports(fileName: string, source: string): ImportedName[] {
  const { module, errors } = parseSync(fileName, source);
  const problem = errors[0];
  if (problem !== undefined) throw new SyntaxError(`Cannot read the imports of ${fileName}: ${problem.message}`);
  const found: { specifier: string; offset: number }[] = [];
  for (const entry of module.staticImports) {
    found.push({ specifier: entry.moduleRequest.value, offset: entry.start });
  }
  for (const { entries } of module.staticExports) {
    for (const entry of entries) {
      if (entry.moduleRequest !== null) found.push({ specifier: entry.moduleRequest.value, offset: entry.start });
    }
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    const literal = /^["'`]([^"'`$]*)["'`]$/.exec(source.slice(moduleRequest.start, moduleRequest.end));
    if (literal?.[1] !== undefined) found.push({ specifier: literal[1], offset: start });
  }
  const seen = new Set<string>();
  return found
    .map(({ specifier, offset }) => ({ specifier, line: source.slice(0, offset).split("\n").length }))
    .filter(({ specifier, line }) => !seen.has(`${line} ${specifier}`) && seen.add(`${line} ${specifier}`));
}
