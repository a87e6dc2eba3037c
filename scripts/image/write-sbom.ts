/**
 * Prints the image's bill of materials. A stage of the Dockerfile runs it with what npm says of the workspace and with the
 * target's folder, which has package-lock.json and, for CUDA, requirements.txt:
 *
 *   npm sbom --package-lock-only --sbom-format cyclonedx | node scripts/image/write-sbom.ts docker/cuda12
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { productionPackages } from "./pruning.ts";
import { type Bom, imageBom, nodeComponent, npmComponent, npmPurl, parseRequirements, wheelComponent } from "./sbom.ts";

const target = process.argv[2];
if (target === undefined) throw new Error("Cannot write the bill of materials: name the target's folder");
const root = join(import.meta.dirname, "..", "..");

const bom = JSON.parse(await text(process.stdin)) as Bom;
const installed = new Set(productionPackages(root, "apps/worker").map(({ name, version }) => npmPurl(name, version)));
const lock = JSON.parse(readFileSync(join(target, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, { readonly version: string }>>;
};
const gpuPackages = Object.entries(lock.packages)
  .map(([path, { version }]) => ({ name: path.replace("node_modules/", ""), version }))
  .filter(({ name, version }) => name !== "" && !installed.has(npmPurl(name, version)));
const requirements = join(target, "requirements.txt");
const wheels = existsSync(requirements) ? parseRequirements(readFileSync(requirements, "utf8")) : [];
const others = [
  ...gpuPackages.map(({ name, version }) => npmComponent(name, version)),
  ...wheels.map(wheelComponent),
  nodeComponent(process.versions.node),
];
process.stdout.write(`${JSON.stringify(imageBom(bom, installed, others), null, 1)}\n`);
