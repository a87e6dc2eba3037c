import { parseSync } from "oxc-parser";
import type { SourceFile } from "./check.ts";

/** One entry point of a package: what `import … from "specifier"` can name. */
export interface PackageFace {
  /** As importers write it, such as `@higgs-worker/audio` or `runpod-worker/emulator`. */
  readonly specifier: string;
  /** Folder of the package; its own files do not count as importers. */
  readonly folder: string;
  readonly index: SourceFile;
}

/** The exports of an entry point that no file outside the package imports, as `specifier: name`, in order. */
export function findDeadExports(faces: readonly PackageFace[], users: readonly SourceFile[]): string[] {
  const used = new Set<string>();
  const faceOf = new Map(faces.map((face) => [face.specifier, face]));
  for (const { path, source } of users) {
    for (const { specifier, names } of importsOf(path, source)) {
      if (path.startsWith(`${faceOf.get(specifier)?.folder ?? path}/`)) continue;
      for (const name of names) used.add(`${specifier}: ${name}`);
    }
  }
  return faces
    .flatMap(({ specifier, index }) => exportedNames(index).map((name) => `${specifier}: ${name}`))
    .filter((name) => !used.has(name))
    .sort();
}

function exportedNames({ path, source }: SourceFile): string[] {
  return parse(path, source).staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ exportName }) => (exportName.name === null ? [] : [exportName.name])),
  );
}

interface Import {
  readonly specifier: string;
  readonly names: readonly string[];
}

function importsOf(path: string, source: string): Import[] {
  const { staticImports, staticExports, dynamicImports } = parse(path, source);
  // Uses of a namespace are not followed: every word of the file counts.
  const words = () => source.match(/[\w$]+/g) ?? [];
  const namesOf = (name: string | null) => (name === null ? words() : [name]);
  return [
    ...staticImports.flatMap(({ moduleRequest, entries }) =>
      entries.map(({ importName }) => ({ specifier: moduleRequest.value, names: namesOf(importName.name) })),
    ),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest, importName }) =>
        moduleRequest === null ? [] : [{ specifier: moduleRequest.value, names: namesOf(importName.name) }],
      ),
    ),
    ...dynamicImports.flatMap(({ moduleRequest }) => {
      const literal = /^["'`]([^"'`$]*)["'`]$/.exec(source.slice(moduleRequest.start, moduleRequest.end))?.[1];
      return literal === undefined ? [] : [{ specifier: literal, names: words() }];
    }),
  ];
}

function parse(path: string, source: string) {
  const { module, errors } = parseSync(path, source);
  const problem = errors[0];
  if (problem !== undefined) throw new SyntaxError(`Cannot read the names of ${path}: ${problem.message}`);
  return module;
}
