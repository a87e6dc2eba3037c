import type { Setting } from "../../apps/worker/src/config/setting.ts";
import { SETTINGS, type SettingKey } from "../../apps/worker/src/config/settings.ts";

/** What somebody who deploys from RunPod's Hub may set, in this order; the first ones are shown, the others are advanced. */
const SHOWN: readonly SettingKey[] = [
  "weights",
  "s3Bucket",
  "awsAccessKeyId",
  "awsSecretAccessKey",
  "awsRegion",
  "awsEndpointUrl",
];
const ADVANCED: readonly SettingKey[] = [
  "modelPath",
  "tokenizerPath",
  "maxBatch",
  "contextLength",
  "device",
  "maxTranscriptChars",
  "s3KeyTemplate",
  "s3ForcePathStyle",
  "s3UrlExpiresSeconds",
  "s3PublicUrl",
  "faultLimit",
  "onStartFailure",
  "logLevel",
];

/** Drivers that the default image runs on: CUDA 12.4 and newer. The Hub matches exactly, so new versions must be added. */
export const HUB_CUDA_VERSIONS = ["13.1", "13.0", "12.9", "12.8", "12.7", "12.6", "12.5", "12.4"];

/** `.runpod/hub.json`, complete. */
export function hubJson(): string {
  const hub = {
    title: "Higgs Audio V2",
    description:
      "Text to speech and one-shot voice cloning with Higgs Audio V2, in TypeScript on ggml; audio to S3 or base64",
    type: "serverless",
    category: "audio",
    config: {
      runsOn: "GPU",
      containerDiskInGb: 10,
      gpuIds: "AMPERE_24,ADA_24",
      gpuCount: 1,
      allowedCudaVersions: HUB_CUDA_VERSIONS,
      env: [...SHOWN.map((key) => entryOf(key, false)), ...ADVANCED.map((key) => entryOf(key, true))],
    },
  };
  return `${JSON.stringify(hub, null, 2)}\n`;
}

function entryOf(key: SettingKey, isAdvanced: boolean): object {
  const setting: Setting<unknown> = SETTINGS[key];
  const input = { name: nameOf(setting.env[0]), ...formOf(setting), ...(isAdvanced && { advanced: true }) };
  return { key: setting.env[0], input };
}

/** Kind, description and bounds of a setting, as the Hub's form wants them. */
function formOf({ description, defaultValue, allowed, placeholder }: Setting<unknown>): object {
  const common = { description, ...(defaultValue !== null && { default: defaultValue }) };
  const range = /^(-?\d+) … (-?\d+)$/.exec(allowed);
  if (range !== null) return { type: "number", ...common, min: Number(range[1]), max: Number(range[2]) };
  if (placeholder === "NAME") {
    const words = allowed.split(", ").filter((word) => !word.includes(" "));
    return { type: "string", ...common, options: words.map((word) => ({ label: word, value: word })) };
  }
  // A switch of the Hub is always on or off; these have a third state, which is to leave them out.
  return { type: "string", ...common };
}

/** `S3_KEY_TEMPLATE` as `S3 key template`. */
function nameOf(variable: string): string {
  const words = variable
    .replace(/^HIGGS_/, "")
    .toLowerCase()
    .split("_");
  const shown = words.map((word) => (["s3", "aws", "url", "id"].includes(word) ? word.toUpperCase() : word)).join(" ");
  return shown.charAt(0).toUpperCase() + shown.slice(1);
}
