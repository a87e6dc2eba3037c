import { unsupported } from "../checkpoint-error.ts";
import { CheckpointFile } from "../checkpoint-file.ts";
import { FileTensorSource, hashStructure } from "../file-tensor-source.ts";
import type { TensorSource } from "../tensor-source.ts";
import { SAVE_TENSORS_ALONE } from "./pickle.ts";
import { readTorchArchive } from "./torch-archive.ts";
import { findLegacyStart, readTorchLegacy } from "./torch-legacy.ts";
import { locateTensors } from "./torch-tensors.ts";

const HEAD_BYTES = 512;

/**
 * Opens a file written by `torch.save`: a dictionary of tensors, or one that a training loop saved beside other things; of any
 * version, pickle protocol and options. Nothing in the pickle is executed.
 *
 * @throws {HiggsError} MODEL_CORRUPT when the file is damaged
 * @throws {HiggsError} MODEL_UNSUPPORTED, saying what to do, when it is sound but of another kind
 * @throws as `CheckpointFile.open`
 */
export async function openTorchFile(path: string): Promise<TensorSource> {
  const file = await CheckpointFile.open(path);
  try {
    const head = await file.read(0, Math.min(file.sizeBytes, HEAD_BYTES));
    if (isTar(head)) {
      throw unsupported(
        file.name,
        `it is a tar file, as torch wrote until 2017; load it with torch and ${SAVE_TENSORS_ALONE}`,
      );
    }
    const legacyStart = findLegacyStart(head);
    const contents = await (legacyStart === null ? readTorchArchive(file) : readTorchLegacy(file, legacyStart));
    const located = locateTensors(contents);
    return new FileTensorSource([file], located, hashStructure(located.values()));
  } catch (error) {
    await file.close();
    throw error;
  }
}

function isTar(head: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(head.subarray(257, 262)) === "ustar";
}
