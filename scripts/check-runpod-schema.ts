/**
 * Compares the rules of the REST v2 emulator with RunPod's published schema, which `@runpod/mcp-server` carries: bodies that are
 * right and thousands that are wrong in one place must be accepted and refused alike, and so must the bodies that
 * `higgs deploy` and `higgs volume` send. Needs a package registry the first time; skips without one.
 *
 *   npm run check:runpod-schema [-- FOLDER]
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  CREATE_ENDPOINT,
  CREATE_POD,
  CREATE_TEMPLATE,
  CREATE_VOLUME,
  UPDATE_ENDPOINT,
  UPDATE_TEMPLATE,
  UPDATE_VOLUME,
} from "../packages/runpod-deploy/src/emulator/bodies.ts";
import type { Check } from "../packages/runpod-deploy/src/emulator/schema.ts";
import { brokenBodies } from "./runpod-schema/broken-bodies.ts";
import { GOOD_BODIES, type Operation } from "./runpod-schema/good-bodies.ts";

const PACKAGES = ["@runpod/mcp-server@4.0.0", "ajv@8.20.0"];

const CHECKS: Readonly<Record<Operation, Check>> = {
  createEndpoint: CREATE_ENDPOINT,
  updateEndpoint: UPDATE_ENDPOINT,
  createTemplate: CREATE_TEMPLATE,
  updateTemplate: UPDATE_TEMPLATE,
  createNetworkVolume: CREATE_VOLUME,
  updateNetworkVolume: UPDATE_VOLUME,
  createPod: CREATE_POD,
};

interface Tool {
  readonly operationId: string;
  readonly inputSchema: {
    readonly properties: { readonly body?: { readonly $ref?: string } };
    readonly $defs?: Readonly<Record<string, Schema>>;
  };
}

interface Schema {
  readonly if?: object;
  readonly allOf?: readonly Schema[];
}

type Validate = ((body: unknown) => boolean) & { readonly errors?: unknown };

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, "..", ".cache", "runpod-schema"));
const problem = install();
if (problem !== null) {
  console.log(`SKIPPED: ${PACKAGES.join(" and ")} cannot be installed: ${problem}`);
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}

let passed = 0;
let failed = 0;
const validators = await publishedValidators();
for (const operation of Object.keys(CHECKS) as Operation[]) {
  const validate = validators(operation);
  const good = GOOD_BODIES[operation];
  for (const body of good) compare(operation, validate, body, true);
  for (const body of good.flatMap(brokenBodies)) compare(operation, validate, body, null);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** @param wanted what the schema must say; null when only the two must agree */
function compare(operation: Operation, validate: Validate, body: unknown, wanted: boolean | null): void {
  const published = validate(body);
  const problems = CHECKS[operation](body, "$");
  const ours = problems.length === 0;
  if (published === ours && (wanted === null || published === wanted)) {
    passed++;
    return;
  }
  failed++;
  if (failed > 20) return;
  console.log(
    `FAILED: ${operation}: the schema says ${published ? "good" : "bad"}, the emulator ${ours ? "good" : "bad"}`,
  );
  console.log(`  ${JSON.stringify(body)}\n  ${JSON.stringify(published ? problems : validate.errors).slice(0, 500)}`);
}

function install(): string | null {
  if (existsSync(join(folder, "node_modules", "ajv"))) return null;
  mkdirSync(folder, { recursive: true });
  const flags = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder];
  const { status, stderr } = spawnSync("npm", ["install", ...flags, ...PACKAGES], { encoding: "utf8" });
  return status === 0 ? null : (stderr.trim().split("\n").at(-1) ?? "npm failed");
}

/** Validators of request bodies, from the schemas in the package's source map. */
async function publishedValidators(): Promise<(operation: Operation) => Validate> {
  const map = JSON.parse(readFileSync(join(folder, "node_modules/@runpod/mcp-server/dist/stdio.mjs.map"), "utf8")) as {
    sources: string[];
    sourcesContent: string[];
  };
  const index = map.sources.findIndex((name) => name.endsWith("generated/tools.gen.ts"));
  const source = join(folder, "tools.gen.ts");
  writeFileSync(source, map.sourcesContent[index] ?? "");
  const { generatedTools } = (await import(pathToFileURL(source).href)) as { generatedTools: readonly Tool[] };
  const library = pathToFileURL(join(folder, "node_modules", "ajv", "dist", "2020.js"));
  const { Ajv2020: Ajv } = (await import(library.href)) as {
    Ajv2020: new (options: object) => { compile(schema: object): Validate };
  };
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: false });
  return (operation) => {
    const tool = generatedTools.find(({ operationId }) => operationId === operation);
    const reference = tool?.inputSchema.properties.body?.$ref;
    const definitions = tool?.inputSchema.$defs ?? {};
    const body = definitions[reference?.split("/").at(-1) ?? ""];
    if (body === undefined) throw new Error(`the package has no body of ${operation}`);
    const [withoutConditions, onlyConditions] = separate(body);
    const fields = ajv.compile({ ...withoutConditions, $defs: definitions });
    const conditions = ajv.compile({ ...onlyConditions, $defs: definitions });
    const validate = (value: unknown): boolean => {
      const isGood = fields(value) && conditions(value);
      validate.errors = fields.errors ?? conditions.errors;
      return isGood;
    };
    validate.errors = undefined as unknown;
    return validate;
  };
}

/**
 * A schema without its conditions, and the conditions alone. Ajv forgets which fields were evaluated when `if` without
 * `else` stands beside `unevaluatedProperties`, and refuses every body.
 */
function separate(schema: Schema): [Schema, Schema] {
  const isCondition = (name: string): boolean => name === "if" || name === "then";
  const { allOf = [], ...own } = schema;
  const entries = Object.entries(own);
  const conditions = Object.fromEntries(entries.filter(([name]) => isCondition(name)));
  const rest = Object.fromEntries(entries.filter(([name]) => !isCondition(name)));
  const hasCondition = (part: Schema): boolean => part.if !== undefined;
  return [
    { ...rest, allOf: [...allOf.filter((part) => !hasCondition(part)), {}] },
    { allOf: [...allOf.filter(hasCondition), conditions, {}] },
  ];
}
