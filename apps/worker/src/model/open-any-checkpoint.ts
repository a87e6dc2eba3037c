import { isHiggsError } from "@higgs-worker/base";
import { openCheckpoint, openCodec, type CodecCheckpoint, type LmCheckpoint } from "@higgs-worker/higgs-audio/parts";

export type AnyCheckpoint =
  | { readonly kind: "model"; readonly checkpoint: LmCheckpoint }
  | { readonly kind: "tokenizer"; readonly checkpoint: CodecCheckpoint };

/**
 * Opens a folder that holds either the generation model or the audio tokenizer.
 *
 * @throws {HiggsError} MODEL_NOT_FOUND, MODEL_CORRUPT, … of the generation model's reader when it is neither
 */
export async function openAnyCheckpoint(directory: string): Promise<AnyCheckpoint> {
  try {
    return { kind: "model", checkpoint: await openCheckpoint(directory) };
  } catch (error) {
    // A broken file is broken for both; only a folder that is not a model may be a tokenizer.
    if (isHiggsError(error) && error.code === "MODEL_CORRUPT") throw error;
    const codec = await openCodec(directory).catch((codecError: unknown) => {
      if (isHiggsError(codecError) && codecError.code === "MODEL_CORRUPT") throw codecError;
      return null;
    });
    if (codec === null) throw error;
    return { kind: "tokenizer", checkpoint: codec };
  }
}
