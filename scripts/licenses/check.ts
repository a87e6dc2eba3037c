import { ALLOWED_LICENSES, LICENSE_EXCEPTIONS } from "./allowed.ts";

/** The fields of an entry of `packages` in package-lock.json that are used here. */
export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

export interface LicenseReport {
  /** Third-party packages installed for production. */
  readonly packages: number;
  readonly problems: readonly string[];
}

/**
 * Compares the license of every production package with the written list. `licenseOf` reads the license of an installed
 * package, for lock entries without one.
 */
export function checkLicenses(
  packages: Readonly<Record<string, LockedPackage>>,
  licenseOf: (folder: string) => string | undefined,
): LicenseReport {
  const production = Object.entries(packages).filter(
    ([folder, { dev, link }]) => folder.includes("node_modules/") && dev !== true && link !== true,
  );
  const names = new Set(production.map(([folder]) => nameOf(folder)));
  const unused = Object.keys(LICENSE_EXCEPTIONS).filter((name) => !names.has(name));
  const problems = production.flatMap(([folder, { license }]) => {
    const name = nameOf(folder);
    const found = license ?? licenseOf(folder);
    if (found === undefined) return [`${name} has no license`];
    const exception = LICENSE_EXCEPTIONS[name];
    if (exception !== undefined) {
      if (exception.license === found) return [];
      return [`${name} is under ${found}, and the exception that was decided is for ${exception.license}`];
    }
    return isAllowed(found)
      ? []
      : [`${name} is under ${found}, which is not on the list (${ALLOWED_LICENSES.join(", ")})`];
  });
  return {
    packages: production.length,
    problems: [...problems, ...unused.map((name) => `${name} has an exception and is not installed`)].sort(),
  };
}

/** An SPDX expression: one allowed side of an OR is enough, both sides of an AND must be allowed. */
export function isAllowed(expression: string): boolean {
  const text = expression.trim();
  const inner = /^\(([^()]*)\)$/.exec(text)?.[1] ?? text;
  if (inner.includes("(")) return false;
  return inner
    .split(/\s+OR\s+/)
    .some((side) => side.split(/\s+AND\s+/).every((license) => ALLOWED_LICENSES.includes(license.trim())));
}

function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
}
