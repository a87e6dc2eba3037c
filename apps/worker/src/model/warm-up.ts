import { type SpeechModel, resolveScene } from "@higgs-worker/higgs-audio";
import { isHiggsError } from "@higgs-worker/base";
import type { Logger } from "../logging/logger.ts";

/** A few frames build every kind of graph and, on a new GPU, compile its kernels. */
const WARM_UP_COLUMNS = 20;

/**
 * Generates a few frames, so that the first job finds everything built, and a device that can load the model but not run
 * it is noticed before the first job.
 *
 * @throws {HiggsError} as `speak` does, except GENERATION_FAILED
 */
export async function warmUp(model: SpeechModel, logger: Logger, signal?: AbortSignal): Promise<void> {
  const startMs = performance.now();
  const { text: scene } = await resolveScene("quiet_indoor");
  try {
    await model.speak(
      {
        transcript: "The sun is warm and the sky is blue.",
        scene,
        chunkMethod: "none",
        maxNewTokens: WARM_UP_COLUMNS,
        allowTruncated: true,
        guard: false,
        seed: 1,
      },
      { onAudio: () => undefined, signal },
    );
  } catch (error) {
    // A model that says nothing at this seed has still been computed.
    if (!isHiggsError(error) || error.code !== "GENERATION_FAILED") throw error;
  }
  logger.info("the engine is warm", { warmUpMs: Math.round(performance.now() - startMs) });
}
