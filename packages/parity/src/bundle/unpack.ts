import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import * as v from "valibot";
import { PACKED_SUFFIX, unpack } from "./packed-file.ts";
import { formatSafetensors, parseSafetensors, type StoredTensor } from "./safetensors-bytes.ts";
import { DERIVED_SHARDS_FILE } from "./set-files.ts";

/** The small golden set that ships with this package; its README says what it covers. */
const BUNDLED_SET = join(import.meta.dirname, "../../golden");

const DerivedShards = v.object({
  from: v.string(),
  shards: v.array(v.tuple([v.string(), v.array(v.tuple([v.string(), v.string()]))])),
});

/** A golden set in a folder of its own, which goes away on disposal. */
export interface UnpackedSet extends AsyncDisposable {
  readonly directory: string;
}

/** Unpacks the golden set that ships with this package. */
export async function unpackBundledSet(packedSet: string = BUNDLED_SET): Promise<UnpackedSet> {
  const directory = await mkdtemp(join(tmpdir(), "higgs-golden-"));
  const remove = async (): Promise<void> => await rm(directory, { recursive: true, force: true });
  try {
    const entries = await readdir(packedSet, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(PACKED_SUFFIX));
    for (const { parentPath, name } of files) await unpackFile(packedSet, join(parentPath, name), directory);
    for (const { parentPath, name } of files) {
      if (name !== `${DERIVED_SHARDS_FILE}${PACKED_SUFFIX}`) continue;
      await deriveShards(join(directory, relative(packedSet, parentPath)));
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { directory, [Symbol.asyncDispose]: remove };
}

async function unpackFile(packedSet: string, packed: string, directory: string): Promise<void> {
  const target = join(directory, relative(packedSet, packed).slice(0, -PACKED_SUFFIX.length));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, unpack(target, await readFile(packed)));
}

/** Writes a checkpoint's shards from the tensors of another one, which has the same under other names. */
async function deriveShards(folder: string): Promise<void> {
  const path = join(folder, DERIVED_SHARDS_FILE);
  const { from, shards } = v.parse(DerivedShards, JSON.parse(await readFile(path, "utf8")));
  const source = parseSafetensors(await readFile(join(folder, from)));
  for (const [file, names] of shards) {
    const tensors = names.map(([name, sourceName]): [string, StoredTensor] => {
      const tensor = source.get(sourceName);
      if (tensor === undefined) throw new Error(`${path}: ${from} has no tensor ${sourceName}`);
      return [name, tensor];
    });
    await writeFile(join(folder, file), formatSafetensors(new Map(tensors)));
  }
  await rm(path);
}
