import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { planTensors, type ExpectedTensor } from "./tensor-plan.ts";
import { countElements, DTYPE_BYTES, type TensorDtype, type TensorInfo } from "./tensor-source.ts";

type Stored = Readonly<Record<string, readonly [dtype: TensorDtype, ...shape: number[]]>>;

function available(stored: Stored): ReadonlyMap<string, TensorInfo> {
  return new Map(
    Object.entries(stored).map(([name, [dtype, ...shape]]) => {
      return [name, { name, dtype, shape, byteLength: countElements(shape) * DTYPE_BYTES[dtype] }];
    }),
  );
}

const HEAD: ExpectedTensor = {
  name: "head",
  shape: [6, 4],
  isOptional: false,
  forms: [
    { kind: "rows", names: ["new.head"] },
    { kind: "rows", names: ["old.head"] },
    { kind: "rows", names: ["old.frozen", "old.trainable"] },
  ],
};

const CONV: ExpectedTensor = {
  name: "conv.weight",
  shape: [3, 2, 5],
  isOptional: false,
  forms: [
    { kind: "rows", names: ["conv.weight"] },
    { kind: "weight-norm", magnitude: "conv.weight_g", direction: "conv.weight_v", axis: 0 },
  ],
};

function planned(expected: readonly ExpectedTensor[], stored: Stored): unknown {
  const isIgnorable = (name: string) => name.startsWith("ignored.");
  try {
    const plan = planTensors("the model", expected, available(stored), isIgnorable);
    return Object.fromEntries([...plan].map(([name, { recipe }]) => [name, namesIn(recipe)]));
  } catch (error) {
    if (!isHiggsError(error) || error.code !== "MODEL_UNSUPPORTED") throw error;
    return error.problems;
  }
}

function namesIn(
  recipe: ReturnType<typeof planTensors> extends ReadonlyMap<string, infer T extends { recipe: unknown }>
    ? T["recipe"]
    : never,
): string[] {
  return recipe.kind === "rows" ? recipe.parts.map(({ name }) => name) : [recipe.magnitude.name, recipe.direction.name];
}

describe("planTensors()", () => {
  it("prefers the first complete form and accepts copies under the other names", () => {
    expect(planned([HEAD], { "old.head": ["BF16", 6, 4], "new.head": ["BF16", 6, 4] })).toEqual({ head: ["new.head"] });
    expect(planned([HEAD], { "old.head": ["BF16", 6, 4] })).toEqual({ head: ["old.head"] });
  });

  it("joins split rows in order", () => {
    const stored: Stored = { "old.trainable": ["F32", 2, 4], "old.frozen": ["F32", 4, 4] };
    expect(planned([HEAD], stored)).toEqual({ head: ["old.frozen", "old.trainable"] });
  });

  it("finds weight norm in its split form", () => {
    const stored: Stored = { "conv.weight_g": ["F32", 3, 1, 1], "conv.weight_v": ["F32", 3, 2, 5] };
    expect(planned([CONV], stored)).toEqual({ "conv.weight": ["conv.weight_g", "conv.weight_v"] });
  });

  it("passes over ignorable tensors and over optional ones that are not there", () => {
    expect(planned([{ ...HEAD, isOptional: true }], { "ignored.x": ["I64", 1] })).toEqual({});
  });

  it("refuses an optional tensor of the wrong shape", () => {
    expect(planned([{ ...HEAD, isOptional: true }], { "new.head": ["F32", 4, 6] })).toEqual([
      "new.head has the shape [4, 6], expected [6, 4]",
    ]);
  });

  it.each<[string, Stored, readonly string[]]>([
    ["a missing tensor", {}, ["new.head is missing"]],
    ["half of a split", { "old.frozen": ["F32", 4, 4] }, ["old.trainable is missing"]],
    ["an integer tensor", { "new.head": ["I8", 6, 4] }, ["new.head has the type I8, expected a float type"]],
    ["a transposed tensor", { "new.head": ["F32", 4, 6] }, ["new.head has the shape [4, 6], expected [6, 4]"]],
    ["another number of axes", { "new.head": ["F32", 24] }, ["new.head has the shape [24], expected [6, 4]"]],
    [
      "rows that do not add up",
      { "old.frozen": ["F32", 4, 4], "old.trainable": ["F32", 3, 4] },
      ["old.frozen [4, 4] and old.trainable [3, 4] do not add up to the shape [6, 4]"],
    ],
    [
      "parts of different widths",
      { "old.frozen": ["F32", 4, 4], "old.trainable": ["F32", 2, 3] },
      ["old.frozen [4, 4] and old.trainable [2, 3] do not add up to the shape [6, 4]"],
    ],
  ])("refuses %s", (_, stored, problems) => {
    expect(planned([HEAD], stored)).toEqual(problems);
  });

  it.each<[string, Stored, readonly string[]]>([
    ["a direction without its magnitude", { "conv.weight_v": ["F32", 3, 2, 5] }, ["conv.weight_g is missing"]],
    [
      "a magnitude of the wrong axis",
      { "conv.weight_g": ["F32", 1, 2, 1], "conv.weight_v": ["F32", 3, 2, 5] },
      ["conv.weight_g has the shape [1, 2, 1], expected [3, 1, 1]"],
    ],
  ])("refuses %s", (_, stored, problems) => {
    expect(planned([CONV], stored)).toEqual(problems);
  });

  it("lists everything that is wrong in one error", () => {
    const stored: Stored = { "new.head": ["F32", 6, 5], surprise: ["F32", 1], "conv.weight_g": ["F32", 3, 1, 1] };
    const missing: ExpectedTensor = {
      name: "norm",
      shape: [4],
      forms: [{ kind: "rows", names: ["norm"] }],
      isOptional: false,
    };
    expect(planned([HEAD, CONV, missing], stored)).toEqual([
      "new.head has the shape [6, 5], expected [6, 4]",
      "conv.weight_v is missing",
      "norm is missing",
      "surprise is unexpected",
    ]);
  });

  it("shortens the message but not the list when there are many problems", () => {
    const expected = Array.from({ length: 30 }, (_, n): ExpectedTensor => {
      return { name: `t${n}`, shape: [1], forms: [{ kind: "rows", names: [`t${n}`] }], isOptional: false };
    });
    const outcome = (() => {
      try {
        return planTensors("the model", expected, new Map(), () => false);
      } catch (error) {
        return error;
      }
    })();
    expect(outcome).toMatchObject({
      message: expect.stringMatching(/^Cannot use the model: 30 problems: t0 is missing; .*; and 20 more$/) as string,
      problems: { length: 30 },
    });
  });
});
