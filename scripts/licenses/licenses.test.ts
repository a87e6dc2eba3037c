import { describe, expect, it } from "vitest";
import { ALLOWED_LICENSES, LICENSE_EXCEPTIONS } from "./allowed.ts";
import { checkLicenses, isAllowed, type LockedPackage } from "./check.ts";

/** The installed packages that the real exceptions need, so that only the case under test can be a problem. */
const EXCEPTIONS = Object.fromEntries(
  Object.entries(LICENSE_EXCEPTIONS).map(([name, { license }]) => [`node_modules/${name}`, { license }]),
);

function problemsOf(packages: Readonly<Record<string, LockedPackage>>, installed: Record<string, string> = {}) {
  return checkLicenses({ ...EXCEPTIONS, ...packages }, (folder) => installed[folder]).problems;
}

describe("checkLicenses()", () => {
  it("accepts allowed licenses, workspaces, and development-only packages", () => {
    expect(
      problemsOf({
        "": {},
        "packages/audio": { license: "UNLICENSED" },
        "node_modules/@higgs-worker/audio": { link: true },
        "node_modules/a": { license: "MIT" },
        "node_modules/a/node_modules/b": { license: "(GPL-3.0-only OR ISC)" },
        "node_modules/c": { license: "GPL-3.0-only", dev: true },
      }),
    ).toEqual([]);
  });

  it("refuses a license outside the list, in any folder", () => {
    expect(
      problemsOf({
        "node_modules/a": { license: "GPL-3.0-only" },
        "packages/audio/node_modules/@scope/b": { license: "MIT AND LGPL-3.0-only" },
      }),
    ).toEqual([
      expect.stringMatching(/^@scope\/b is under MIT AND LGPL-3\.0-only, which is not on the list/),
      expect.stringMatching(/^a is under GPL-3\.0-only, which is not on the list/),
    ]);
  });

  it("reads the installed package where the lock does not say it, and refuses one that says nothing", () => {
    const packages = { "node_modules/a": {}, "node_modules/b": {} };
    expect(problemsOf(packages, { "node_modules/a": "SEE LICENSE IN x" })).toEqual([
      expect.stringMatching(/^a is under SEE LICENSE IN x/),
      "b has no license",
    ]);
  });

  it("an exception is for one license, and goes with its package", () => {
    expect(problemsOf({ "node_modules/mediabunny": { license: "GPL-2.0-only" } })).toEqual([
      "mediabunny is under GPL-2.0-only, and the exception that was decided is for MPL-2.0",
    ]);
    expect(checkLicenses({}, () => undefined).problems).toContain("mediabunny has an exception and is not installed");
  });
});

it.each([
  ["MIT", true],
  ["(MIT OR GPL-3.0-only)", true],
  ["MIT AND ISC", true],
  ["MIT AND GPL-3.0-only", false],
  ["LGPL-3.0-or-later", false],
  ["((MIT))", false],
  ["", false],
])("the license %j is allowed: %s", (expression, allowed) => {
  expect(isAllowed(expression)).toBe(allowed);
});

it("no copyleft license is on the list", () => {
  expect(ALLOWED_LICENSES.filter((license) => /GPL|MPL|EPL|CDDL|SSPL|BUSL/.test(license))).toEqual([]);
});
