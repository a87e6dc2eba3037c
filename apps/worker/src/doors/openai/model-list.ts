import type { DoorContext } from "../door-app.ts";

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

export function listModels(context: DoorContext): Response {
  return context.json({ object: "list", data: MODELS.map(modelObject) });
}

/** The model with an id; null for an unknown one. */
export function findModelObject(id: string): ModelObject | null {
  return (MODELS as readonly string[]).includes(id) ? modelObject(id) : null;
}

/** The form that programs with a choice of models ask for; names alone with `?legacy=true`. */
export function listAudioModels(context: DoorContext): Response {
  if (isLegacy(context)) return context.json({ models: MODELS });
  return context.json({ models: MODELS.map((id) => ({ id, name: id })) });
}

export function isLegacy(context: DoorContext): boolean {
  return context.req.query("legacy") === "true";
}

function modelObject(id: string): ModelObject {
  return { id, object: "model", created: CREATED_SECONDS, owned_by: "higgs-audio" };
}
