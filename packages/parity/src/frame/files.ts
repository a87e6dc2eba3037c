import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { failed } from "./outcome.ts";
import * as v from "valibot";
import { SET_FILE } from "../bundle/set-files.ts";
import type { GoldenCase } from "./types.ts";

const SetFile = v.object({ checkpoints: v.array(v.string()) });

/** Those of the tiny checkpoints that a set has: all, unless it says otherwise. */
export async function checkpointsOf(directory: string, checkpoints: readonly string[]): Promise<string[]> {
  if (!existsSync(path.join(directory, SET_FILE))) return [...checkpoints];
  const { checkpoints: known } = v.parse(SetFile, await readGoldenJson(directory, SET_FILE));
  return checkpoints.filter((name) => known.includes(name));
}

/**
 * Reads and parses one JSON file of a golden set.
 *
 * @throws {Error} naming the file when it cannot be read or has another form
 */
export async function readGoldenJson(directory: string, relativePath: string): Promise<unknown> {
  const text = await readFile(path.join(directory, relativePath), "utf8").catch((error: unknown) => {
    throw new Error(`${relativePath}: ${reasonOf(error)}`, { cause: error });
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`${relativePath}: not JSON (${reasonOf(error)})`, { cause: error });
  }
}

/** Yields what `collect` makes, or one failing case named `relativePath` when the file cannot be read or has another form. */
export async function* casesOfFile(
  group: string,
  relativePath: string,
  collect: () => Promise<Iterable<GoldenCase>>,
): AsyncIterable<GoldenCase> {
  let cases: GoldenCase[];
  try {
    cases = [...(await collect())];
  } catch (error) {
    const outcome = failed(reasonOf(error));
    yield { group, name: relativePath, run: () => Promise.resolve(outcome) };
    return;
  }
  if (cases.length === 0) {
    const outcome = failed(`${relativePath}: holds no cases`);
    yield { group, name: relativePath, run: () => Promise.resolve(outcome) };
  }
  yield* cases;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
