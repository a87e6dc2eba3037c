import { readFileSync } from "node:fs";

/** The text of a file without the spaces around it, or null when it cannot be read. */
export type ReadText = (path: string) => string | null;

/** Of a small file that the kernel makes when it is read. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
