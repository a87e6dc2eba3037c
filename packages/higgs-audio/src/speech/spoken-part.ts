import type { Inspection } from "../guard/index.ts";
import type { PlannedChunk } from "../prompt/speech-plan.ts";
import type { GeneratedChunk } from "./chunk-speaker.ts";
import type { ChunkAudio } from "./speech-audio.ts";
import type { Attempts } from "./speak-in-attempts.ts";

/** A chunk of the plan as it was spoken, or a part of one that had to be divided. */
export interface SpokenPart {
  /** What was to be spoken. */
  readonly chunk: PlannedChunk;
  /** The attempt that was kept, and what the guard says of it; null without the guard. */
  readonly generated: GeneratedChunk;
  readonly inspection: Inspection | null;
  /** How many attempts there were, and time that the model spent on the others. */
  readonly attempts: Pick<Attempts, "count" | "wastedMs">;
}

/** A part, and where it is heard. */
export interface HeardPart extends SpokenPart {
  /** The chunk of the plan that it belongs to. */
  readonly planIndex: number;
  readonly audio: ChunkAudio;
}
