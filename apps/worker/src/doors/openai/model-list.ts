/** Names of models that clients ask for; all of them are the one that is loaded. */
const MODELS = ["tts-1", "tts-1-hd", "gpt-4o-mini-tts", "higgs-audio-v2"] as const;

/** When Higgs Audio V2 was published, in seconds since the epoch. */
const CREATED_SECONDS = 1_753_142_400;

interface ModelObject {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
}

/** The answer of `/v1/models`. */
export function modelList() {
  return { object: "list", data: MODELS.map(modelObject) } as const;
}

/** The model with an id; null for an unknown one. */
export function findModelObject(id: string): ModelObject | null {
  return (MODELS as readonly string[]).includes(id) ? modelObject(id) : null;
}

/** The form that programs with a choice of models ask for; with `isLegacy` the names alone. */
export function audioModelList(isLegacy: boolean) {
  return { models: MODELS.map((id) => (isLegacy ? id : { id, name: id })) } as const;
}

function modelObject(id: string): ModelObject {
  return { id, object: "model", created: CREATED_SECONDS, owned_by: "higgs-audio" };
}
