import { describe, expect, it } from "vitest";
import { detectOrigin } from "./detect-revision.ts";

const RELEASED_SIZES = [4_965_820_232, 4_983_224_272, 1_593_566_728];
const REVISION = "10840182ca4ad5d9d9113b60b9bb3c1ef1ba3f84";
const NAME = "bosonai/higgs-audio-v2-generation-3B-base";

function origin(directory: string, sizes: readonly number[] = [1]) {
  return detectOrigin(
    directory,
    sizes.map((sizeBytes, index) => ({ path: `${index}`, sizeBytes, modifiedMs: 0 })),
  );
}

describe("detectOrigin()", () => {
  it.each([
    ["/cache/models--bosonai--higgs-audio-v2-generation-3B-base/snapshots/" + "f".repeat(40), NAME, "f".repeat(40)],
    ["/cache/models--me--my--fine-tune/snapshots/main", "me/my--fine-tune", null],
    ["/runpod-volume/higgs_audio/bosonai/higgs-audio-v2-generation-3B-base", NAME, null],
    ["/models/my-voice", "my-voice", null],
    ["/repository/demo-checkpoint/checkpoint/codec", "demo-checkpoint", null],
    ["/model", "model", null],
  ])("reads %s", (directory, modelName, revision) => {
    expect(origin(directory)).toEqual({ modelName, revision });
  });

  it("knows the released boson files by their sizes, in any order", () => {
    expect(origin("/models/x", RELEASED_SIZES)).toEqual({ modelName: NAME, revision: REVISION });
    expect(origin("/models/x", [...RELEASED_SIZES].reverse())).toEqual({ modelName: NAME, revision: REVISION });
    expect(origin("/models/x", RELEASED_SIZES.slice(1))).toEqual({ modelName: "x", revision: null });
  });

  it("takes the revision of the released sizes when the cache path has none", () => {
    const directory = "/cache/models--bosonai--higgs-audio-v2-generation-3B-base";
    expect(origin(directory, RELEASED_SIZES)).toEqual({ modelName: NAME, revision: REVISION });
  });
});
