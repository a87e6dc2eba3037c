import { JOB_FIELDS, type JobFieldName } from "../job/job-fields.ts";

/** Fields that say where the audio of a job goes, which a door decides. */
const DELIVERY_FIELDS: ReadonlySet<JobFieldName> = new Set(["delivery", "s3_bucket", "s3_key", "put_url", "stream"]);

/** The fields of the job table that say what is spoken and how; others are left out. */
export function speechFields(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isSpeech = (name: string): boolean =>
    Object.hasOwn(JOB_FIELDS, name) && !DELIVERY_FIELDS.has(name as JobFieldName);
  return Object.fromEntries(Object.entries(given).filter(([name]) => isSpeech(name)));
}

/** The fields of the job table that say where the audio goes; for jobs of a queue, which has no other way. */
export function deliveryFields(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isDelivery = (name: string): boolean => name !== "stream" && DELIVERY_FIELDS.has(name as JobFieldName);
  return Object.fromEntries(Object.entries(given).filter(([name]) => isDelivery(name)));
}
