/** Licenses that require only that their text is passed on. */
export const ALLOWED_LICENSES: readonly string[] = [
  "MIT",
  "MIT-0",
  "ISC",
  "0BSD",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Apache-2.0",
  "Unicode-3.0",
  "Zlib",
  "Unlicense",
  "CC0-1.0",
];

/** Packages under another license, each decided individually: docs/decisions/0012 and 0022. */
export const LICENSE_EXCEPTIONS: Readonly<Record<string, { readonly license: string }>> = {
  argparse: { license: "PSF-2.0" },
  "codec-parser": { license: "LGPL-3.0-or-later" },
  mediabunny: { license: "MPL-2.0" },
};
