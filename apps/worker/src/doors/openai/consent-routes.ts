import { HiggsError } from "@higgs-worker/base";
import type { ConsentStore, VoiceConsent } from "@higgs-worker/higgs-audio";
import { PublicApiError, readJson } from "runpod-worker/http";
import { audioExtensionOf } from "../../references/audio-extension.ts";
import { checkAudioStart } from "../../references/prepare-clip.ts";
import type { DoorContext } from "../door-app.ts";
import type { DoorParts } from "../door-parts.ts";
import { readUpload } from "../multipart.ts";
import { idOf } from "./voice-routes.ts";

const MEBIBYTE = 1024 * 1024;
const MAX_RECORDING_BYTES = 10 * MEBIBYTE;
const MAX_UPLOAD_BYTES = MAX_RECORDING_BYTES + 64 * 1024;
const MAX_BODY_BYTES = 64 * 1024;
const PAGE = { default: 20, max: 100 } as const;

/** A page of the consents, newest first: `after` an id, `limit` of them. */
export async function listConsents(context: DoorContext, consents: ConsentStore): Promise<Response> {
  const all = await consents.list();
  const after = context.req.query("after");
  const first = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const data = all.slice(first, first + limitOf(context)).map(consentObject);
  const hasMore = first + data.length < all.length;
  const ends = { first_id: data.at(0)?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return context.json({ object: "list", data, ...ends, has_more: hasMore });
}

/**
 * Keeps the recording of an upload.
 *
 * @throws {HiggsError} INVALID_INPUT for unusable fields, REFERENCE_INVALID when the recording is not audio
 */
export async function createConsent(
  context: DoorContext,
  { host }: DoorParts,
  consents: ConsentStore,
): Promise<Response> {
  return readUpload(context, { host, limitBytes: MAX_UPLOAD_BYTES }, async (upload) => {
    const { bytes } = await upload.file("recording");
    if (bytes.length > MAX_RECORDING_BYTES) {
      throw wrong("recording", `is too large (got ${bytes.length} bytes, limit ${MAX_RECORDING_BYTES})`);
    }
    checkAudioStart(bytes, "recording");
    const consent = await consents.add({
      name: upload.text("name") ?? "",
      language: upload.text("language") ?? "",
      recording: bytes,
      extension: audioExtensionOf(bytes),
    });
    return context.json(consentObject(consent));
  });
}

/** @throws {PublicApiError} NOT_FOUND */
export async function showConsent(context: DoorContext, consents: ConsentStore): Promise<Response> {
  return context.json(consentObject(found(await consents.find(idOf(context)))));
}

/** @throws {PublicApiError} NOT_FOUND */
export async function renameConsent(
  context: DoorContext,
  { host }: DoorParts,
  consents: ConsentStore,
): Promise<Response> {
  const rules = { limitBytes: MAX_BODY_BYTES, budget: host.queue.inputs, requiresJsonType: true };
  const { value } = await readJson(context, rules);
  const name = typeof value === "object" && value !== null && "name" in value ? value.name : undefined;
  if (typeof name !== "string") throw wrong("name", "must be text");
  return context.json(consentObject(found(await consents.rename(idOf(context), name))));
}

/** @throws {PublicApiError} NOT_FOUND */
export async function deleteConsent(context: DoorContext, consents: ConsentStore): Promise<Response> {
  const id = idOf(context);
  if (!(await consents.remove(id))) throw notFound();
  return context.json({ id, object: "audio.voice_consent", deleted: true });
}

function consentObject({ id, name, language, createdAtMs }: VoiceConsent) {
  const createdSeconds = Math.floor(createdAtMs / 1000);
  return { id, object: "audio.voice_consent", name, language, created_at: createdSeconds } as const;
}

function limitOf(context: DoorContext): number {
  const limit = Number(context.req.query("limit") ?? PAGE.default);
  if (Number.isInteger(limit) && limit >= 1 && limit <= PAGE.max) return limit;
  throw wrong("limit", `must be a whole number (limit 1 to ${PAGE.max})`, "list the consents");
}

function found(consent: VoiceConsent | null): VoiceConsent {
  if (consent === null) throw notFound();
  return consent;
}

function notFound(): PublicApiError {
  return new PublicApiError("NOT_FOUND", "Cannot find the consent: no consent has this id");
}

function wrong(field: string, why: string, doing = "keep the consent"): HiggsError {
  return new HiggsError("INVALID_INPUT", doing, `${field} ${why}`, { problems: [`${field} ${why}`] });
}
