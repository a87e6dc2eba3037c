/**
 * Refuses a package of others that is installed for production under a license outside the list of
 * scripts/licenses/allowed.ts. `npm run check:licenses`.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkLicenses, type LockedPackage } from "./licenses/check.ts";

const root = join(import.meta.dirname, "..");

function readJson(file: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>;
}

function licenseOf(folder: string): string | undefined {
  const manifest = join(root, folder, "package.json");
  const license = existsSync(manifest) ? readJson(manifest)["license"] : undefined;
  return typeof license === "string" ? license : undefined;
}

const lock = readJson(join(root, "package-lock.json"))["packages"] as Readonly<Record<string, LockedPackage>>;
const { packages, problems } = checkLicenses(lock, licenseOf);
for (const problem of problems) console.error(problem);
console.log(`${packages} packages for production, ${problems.length} problems`);
if (packages === 0 || problems.length > 0) process.exitCode = 1;
