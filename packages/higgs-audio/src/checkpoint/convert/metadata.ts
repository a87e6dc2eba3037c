import type { GgufFile } from "@higgs-worker/ggml";
import * as v from "valibot";
import { corrupt } from "../checkpoint-error.ts";
import type { HiggsConfig } from "../lm-config.ts";
import type { LmCheckpoint } from "../open-checkpoint.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../weight-format.ts";

/** Counts up when the converter writes other bytes for the same checkpoint; files of other versions are not used. */
export const CONVERTER_VERSION = 3;

/** GGUF keys. The first two are what other tools show. */
export const METADATA = {
  architecture: "general.architecture",
  modelName: "general.name",
  config: "higgs-audio.config",
  revision: "higgs-audio.revision",
  sourceHash: "higgs-audio.source_hash",
  format: "higgs-audio.weights",
  checksums: "higgs-audio.crc32",
  converterVersion: "higgs-audio.converter_version",
} as const;

const ARCHITECTURE = "higgs-audio-v2";

/** The metadata of a conversion. `checksums` are the tensors' one after the other. */
export function describeConversion(checkpoint: LmCheckpoint, format: WeightFormat, checksums: string) {
  const { config, origin, sourceHash } = checkpoint;
  return {
    strings: {
      architecture: ARCHITECTURE,
      modelName: origin.modelName,
      config: JSON.stringify(config),
      revision: origin.revision ?? "",
      sourceHash,
      format,
      checksums,
    },
    numbers: { converterVersion: CONVERTER_VERSION },
  } as const;
}

/** What a converted file says about itself. */
export interface ConversionFacts {
  readonly config: HiggsConfig;
  readonly sourceHash: string;
  readonly format: WeightFormat;
  /** CRC-32 of the tensors in their order, eight hexadecimal digits each. */
  readonly checksums: string;
  readonly converterVersion: number;
}

/** Our own converter wrote the JSON, so its shape is checked only as far as types go. */
const NUMBER_FIELDS = [
  "hiddenSize",
  "intermediateSize",
  "numHiddenLayers",
  "numAttentionHeads",
  "numKeyValueHeads",
  "headDim",
  "vocabSize",
  "rmsNormEps",
  "ropeTheta",
  "maxPositionEmbeddings",
  "numCodebooks",
  "idsPerCodebook",
  "audioStreamBosId",
  "audioStreamEosId",
  "audioTokenId",
  "audioBosTokenId",
] as const satisfies readonly (keyof HiggsConfig)[];

const NULLABLE_FIELDS = [
  "audioInTokenId",
  "audioEosTokenId",
  "audioDelayTokenId",
  "padTokenId",
  "bosTokenId",
  "eosTokenId",
] as const satisfies readonly (keyof HiggsConfig)[];

const POSITIVE = v.pipe(v.number(), v.finite(), v.minValue(0));

const CONFIG = v.object({
  layout: v.picklist(["boson", "native"]),
  modelName: v.string(),
  ropeScaling: v.object({
    factor: POSITIVE,
    lowFreqFactor: POSITIVE,
    highFreqFactor: POSITIVE,
    originalMaxPositionEmbeddings: POSITIVE,
  }),
  ...v.entriesFromList(NUMBER_FIELDS, POSITIVE),
  ...v.entriesFromList(NULLABLE_FIELDS, v.nullable(POSITIVE)),
});

/**
 * Reads the metadata of a converted file.
 *
 * @throws {HiggsError} MODEL_CORRUPT when it is not one of ours
 */
export function readConversionFacts(file: GgufFile): ConversionFacts {
  const { strings, numbers, path } = file;
  const format = WEIGHT_FORMATS.find((known) => known === strings.get(METADATA.format));
  const sourceHash = strings.get(METADATA.sourceHash);
  const checksums = strings.get(METADATA.checksums) ?? "";
  const converterVersion = numbers.get(METADATA.converterVersion);
  const config = parseConfig(strings.get(METADATA.config));
  const isOurs = strings.get(METADATA.architecture) === ARCHITECTURE;
  if (
    !isOurs ||
    format === undefined ||
    sourceHash === undefined ||
    converterVersion === undefined ||
    config === null
  ) {
    throw corrupt(path, "it is not a converted generation model");
  }
  return { config, sourceHash, format, checksums, converterVersion };
}

function parseConfig(text: string | undefined): HiggsConfig | null {
  try {
    const result = v.safeParse(CONFIG, JSON.parse(text ?? ""));
    return result.success ? Object.freeze(result.output) : null;
  } catch {
    return null;
  }
}
