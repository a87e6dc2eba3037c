import type { TextRequest } from "../speech-plan.ts";

/** A text in one chunk unless asked otherwise. */
export function textRequest(overrides: Partial<TextRequest> = {}): TextRequest {
  return {
    transcript: "Hello",
    normalize: true,
    chunkMethod: "none",
    chunkMaxWordNum: 200,
    chunkMaxNumTurns: 1,
    ...overrides,
  };
}
