import { secret, url, type SettingTable } from "../setting.ts";

/** RunPod itself. */
export const DEPLOYMENT_SETTINGS = {
  runpodApiKey: secret({
    env: ["RUNPOD_API_KEY"],
    group: "deployment",
    description: "Key of RunPod's API, for deploying and for `higgs speak --endpoint`; workers do not need it",
  }),
  runpodApiUrl: url({
    env: ["RUNPOD_API_BASE_URL"],
    group: "deployment",
    description: "Address of RunPod's REST v2, without `/v2`",
    defaultText: "https://api.runpod.io",
  }),
  runpodS3AccessKeyId: secret({
    env: ["RUNPOD_S3_ACCESS_KEY_ID"],
    group: "deployment",
    description: "Access key (`user_…`) of RunPod's S3 for network volumes, with which files are copied onto a volume",
  }),
  runpodS3SecretAccessKey: secret({
    env: ["RUNPOD_S3_SECRET_ACCESS_KEY"],
    group: "deployment",
    description: "Secret (`rps_…`) of RunPod's S3 for network volumes",
  }),
  runpodS3Url: url({
    env: ["RUNPOD_S3_ENDPOINT_URL"],
    group: "deployment",
    description: "Address of RunPod's S3 for network volumes",
    defaultText: "https://s3api-DATACENTER.runpod.io, by the volume's data center",
  }),
} as const satisfies SettingTable;
