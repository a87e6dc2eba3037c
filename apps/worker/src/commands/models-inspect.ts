import type { CheckpointTensor } from "@higgs-worker/higgs-audio/parts";
import { openAnyCheckpoint, type AnyCheckpoint } from "../model/open-any-checkpoint.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { alignColumns, formatBytes } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";

export interface ModelsInspectArgs {
  readonly directory: string;
  /** List every tensor too. */
  readonly withTensors: boolean;
  readonly isJson: boolean;
}

/** `higgs models inspect DIR`: describes a checkpoint; reads headers only. */
export async function runModelsInspect(args: ModelsInspectArgs, io: CommandIo): Promise<number> {
  const opened = await openAnyCheckpoint(args.directory);
  try {
    const facts = factsOf(opened, args.withTensors);
    await (args.isJson ? printJson(io, facts) : io.stdout.write(describe(facts)));
    return EXIT_OK;
  } finally {
    await opened.checkpoint.close();
  }
}

type Facts = ReturnType<typeof factsOf>;

function factsOf({ kind, checkpoint }: AnyCheckpoint, withTensors: boolean) {
  const tensors = [...checkpoint.tensors.values()];
  return {
    kind,
    directory: checkpoint.directory,
    layout: checkpoint.layout,
    modelName: checkpoint.origin.modelName,
    revision: checkpoint.origin.revision,
    parameters: sum(tensors, (tensor) => tensor.elementCount),
    bytes: sum(tensors, (tensor) => tensor.byteLength),
    types: countTypes(tensors),
    tensorCount: tensors.length,
    unneededTensors: [...checkpoint.optionalTensors.keys()],
    files: checkpoint.files.map(({ path, sizeBytes }) => ({ path, sizeBytes })),
    config: checkpoint.config,
    ...(withTensors ? { tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })) } : {}),
  };
}

function countTypes(tensors: readonly CheckpointTensor[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { dtype } of tensors) counts[dtype] = (counts[dtype] ?? 0) + 1;
  return counts;
}

function describe(facts: Facts): string {
  const rows = [
    ["kind", facts.kind === "model" ? "generation model" : "audio tokenizer"],
    ["layout", facts.layout],
    ["name", facts.modelName],
    ["revision", facts.revision ?? "unknown"],
    ["parameters", facts.parameters.toLocaleString("en")],
    ["size", formatBytes(facts.bytes)],
    [
      "tensors",
      `${facts.tensorCount} (${Object.entries(facts.types)
        .map(([dtype, count]) => `${count} ${dtype}`)
        .join(", ")})`,
    ],
    ...facts.files.map(({ path, sizeBytes }, index) => [
      index === 0 ? "files" : "",
      `${path} (${formatBytes(sizeBytes)})`,
    ]),
    ...Object.entries(facts.config).map(([name, value], index) => [
      index === 0 ? "config" : "",
      `${name} ${JSON.stringify(value)}`,
    ]),
    ...(facts.tensors ?? []).map(({ name, dtype, shape }) => [dtype, `${name} [${shape.join(", ")}]`]),
  ];
  return `${alignColumns(rows)}\n`;
}

function sum(tensors: readonly CheckpointTensor[], of: (tensor: CheckpointTensor) => number): number {
  return tensors.reduce((total, tensor) => total + of(tensor), 0);
}
