import type { JobInput } from "./job-input.ts";

/** Job fields that say where audio goes; over HTTP it comes back in the answer. */
type DeliveryField = "delivery" | "output_format" | "put_url" | "s3_bucket" | "s3_key" | "stream";

/** A request in the form of OpenAI's `/v1/audio/speech`; every job field that does not concern delivery may be added. */
export interface SpeechRequest extends Omit<JobInput, "transcript" | DeliveryField> {
  /** What is said. */
  readonly input: string;
  /** A voice of the server's library, or one of OpenAI's thirteen names. */
  readonly voice?: string | { readonly id: string };
  /** Any name is accepted. */
  readonly model?: string;
  /** The scene, in words. */
  readonly instructions?: string;
  /** Default mp3. */
  readonly response_format?: string;
  /** 0.25 … 4; default 1. */
  readonly speed?: number;
}
