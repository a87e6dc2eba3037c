import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { openOutputStream, type OutputOptions } from "@higgs-worker/audio";
import { HiggsError, isHiggsError, systemReason } from "@higgs-worker/base";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { isOutOfTime } from "../network/time-limit.ts";
import { fillKeyTemplate } from "../storage/object-key.ts";
import type { GrowingUpload, ObjectDescription, UploadProgress } from "../storage/object-store.ts";
import { AudioSpool } from "../storage/spool/audio-spool.ts";
import { spoolFolderOf } from "../storage/spool/spool-folder.ts";
import { AudioWriter, type WrittenAudio } from "./audio-writer.ts";
import type { DeliveryPlan, StorePlan } from "./plan-delivery.ts";
import { encodeBase64, fitsResult } from "./result-size.ts";

export interface AudioDeliveryOptions {
  readonly jobId: string;
  readonly seed: number;
  readonly modelName: string;
  readonly plan: DeliveryPlan;
  readonly encoder: { readonly mimeType: string; readonly fileExtension: string };
  /** How the speech becomes the file. */
  readonly asFile: OutputOptions;
  readonly config: Config;
  readonly logger: Logger;
  readonly signal?: AbortSignal | undefined;
  readonly onUpload?: ((progress: UploadProgress) => void) | undefined;
  /** Called once when the audio cannot be written, so that no more of it is made. */
  readonly onFailure: () => void;
  /** Folder for audio in the making; the system's by default. */
  readonly temporaryDir?: string | undefined;
}

export interface DeliveredAudio {
  /** How it was delivered in the end. */
  readonly kind: string;
  readonly url: string | null;
  readonly downloadUrl: string | null;
  readonly base64: string | null;
  /** The file, unless it was stored or there is none. */
  readonly file: Uint8Array | null;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly uploadMs: number;
  readonly warnings: readonly string[];
}

type Place = Pick<DeliveredAudio, "kind" | "url" | "downloadUrl" | "base64" | "file" | "warnings">;

const NOWHERE: Place = { kind: "", url: null, downloadUrl: null, base64: null, file: null, warnings: [] };

/**
 * The audio of a job on its way to the client: encoded, kept and uploaded while it is made. Audio that is finished is never
 * lost because a store fails: it is kept in the spool folder, or comes back as base64.
 */
export class AudioDelivery {
  readonly #options: AudioDeliveryOptions;
  readonly #spool: AudioSpool;
  readonly #writer: AudioWriter;
  readonly #upload: GrowingUpload | null;
  #chapterTitles: readonly string[] = [];

  constructor(options: AudioDeliveryOptions) {
    this.#options = options;
    const { plan, config, logger, jobId, signal, onUpload, temporaryDir } = options;
    const isStored = "store" in plan;
    this.#spool = new AudioSpool({
      // What is returned has to be in memory anyway.
      memoryBytes: isStored ? config.s3PartMib * 1024 * 1024 : Number.POSITIVE_INFINITY,
      ...(temporaryDir !== undefined && { folder: temporaryDir }),
      onProblem: (reason) =>
        logger.warn("the audio stays in memory: no temporary file can be written", { jobId, reason }),
    });
    this.#upload = isStored
      ? (plan.store.begin?.(this.#object(plan), this.#spool, { signal, onProgress: onUpload }) ?? null)
      : null;
    const { asFile, onFailure } = options;
    this.#writer = new AudioWriter({
      sampleRateHz: asFile.inputRateHz,
      openStream:
        plan.kind === "parts"
          ? null
          : () => openOutputStream({ ...asFile, chapterTitles: this.#chapterTitles, purpose: "file" }),
      spool: this.#spool,
      onGrown: () => this.#upload?.grown(),
      onFailure,
    });
  }

  /** Announces the chapters of the file; only before the first samples. */
  announceChapters(titles: readonly string[]): void {
    this.#chapterTitles = titles;
  }

  /** Takes the next samples, which must not be changed afterwards; returns at once. */
  write(pcm: Float32Array): void {
    this.#writer.write(pcm);
  }

  /** @throws what went wrong with the audio so far, if anything did */
  throwFailure(): void {
    this.#writer.throwFailure();
  }

  /**
   * Completes the file. `chapterSeconds` are where the chapters that were announced begin in the samples.
   *
   * @throws {HiggsError} GENERATION_FAILED when it is not audio, RESULT_TOO_LARGE when the format cannot hold it
   */
  complete(chapterSeconds: readonly number[]): Promise<WrittenAudio> {
    return this.#writer.end(chapterSeconds);
  }

  /**
   * Delivers the completed file.
   *
   * @throws {HiggsError} STORAGE_* when it could not be stored, and says where the audio is kept
   * @throws {HiggsError} RESULT_TOO_LARGE, CANCELLED, DEADLINE_EXCEEDED
   */
  async deliver(): Promise<DeliveredAudio> {
    const sizeBytes = this.#spool.size;
    const sha256 = await this.#spool.sha256();
    const startedMs = performance.now();
    const place = await this.#place(sha256);
    return { ...place, sizeBytes, sha256, uploadMs: performance.now() - startedMs };
  }

  /** Frees everything; what was not delivered is gone, also at the store. Never rejects. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#upload?.abort();
    await this.#spool.discard();
  }

  async #place(sha256: string): Promise<Place> {
    const { plan } = this.#options;
    if (plan.kind === "parts") return { ...NOWHERE, kind: plan.kind };
    if (plan.kind === "bytes") return { ...NOWHERE, kind: plan.kind, file: await this.#wholeFile() };
    if (plan.kind === "base64") {
      const file = await this.#wholeFile();
      return { ...NOWHERE, kind: plan.kind, file, base64: encodeBase64(file, plan.maxResultBytes) };
    }
    try {
      const stored = await this.#store(plan, sha256);
      return { ...NOWHERE, kind: plan.kind, ...stored, warnings: stored.warnings ?? [] };
    } catch (error) {
      if (!isHiggsError(error) || !this.#isStorageFault(error)) throw error;
      return await this.#rescue(error, plan);
    }
  }

  #store(plan: StorePlan, sha256: string) {
    if (this.#upload !== null) return this.#upload.finish(sha256);
    const { signal, onUpload } = this.#options;
    return plan.store.put({ ...this.#object(plan), audio: this.#spool, sha256 }, { signal, onProgress: onUpload });
  }

  #object({ key }: StorePlan): ObjectDescription {
    const { jobId, seed, modelName, encoder } = this.#options;
    return { key, mimeType: encoder.mimeType, metadata: { "job-id": jobId, seed: String(seed), model: modelName } };
  }

  /** Whether the store, or the time that it took, is the reason; not the job or its client. */
  #isStorageFault({ code }: HiggsError): boolean {
    const { signal } = this.#options;
    return code.startsWith("STORAGE_") || (code === "CANCELLED" && signal !== undefined && isOutOfTime(signal));
  }

  /** The audio as base64 when there is no folder to keep it in and it fits; throws otherwise, and says where it is kept. */
  async #rescue(failure: HiggsError, plan: StorePlan): Promise<Place> {
    const { config, temporaryDir } = this.#options;
    const folder = spoolFolderOf(config);
    const kept = folder === null ? null : await this.#keepIn(folder);
    const isInTime = failure.code !== "CANCELLED";
    if (kept === null && isInTime && fitsResult(this.#spool.size, plan.maxResultBytes ?? 0)) {
      const base64 = encodeBase64(await this.#wholeFile(), plan.maxResultBytes ?? 0);
      const { logger, jobId } = this.#options;
      logger.warn("the audio could not be stored", { jobId, code: failure.code, reason: failure.message });
      const warning = `the audio is in audio_base64, because it could not be stored: ${failure.toString()}`;
      return { ...NOWHERE, kind: "base64", base64, warnings: [warning] };
    }
    const path = kept ?? (await this.#keepIn(temporaryDir ?? tmpdir()));
    const where = path === null ? "the audio could not be kept either" : `the audio is kept in ${path}`;
    if (!isInTime) {
      const reason = `its time limit was reached while the audio was stored; ${where}`;
      throw new HiggsError("DEADLINE_EXCEEDED", "finish the job", reason, { cause: failure });
    }
    throw new HiggsError(failure.code, failure.subject, `${failure.reason}; ${where}`, { cause: failure });
  }

  /** The path, or null when it cannot be kept there. */
  async #keepIn(folder: string): Promise<string | null> {
    const { jobId, seed, encoder, logger } = this.#options;
    const facts = { jobId, seed, extension: encoder.fileExtension, now: new Date(), uuid: randomUUID() };
    try {
      return await this.#spool.keepIn(folder, fillKeyTemplate("{job_id}-{seed}.{ext}", facts));
    } catch (error) {
      const reason = isHiggsError(error) ? error.reason : systemReason(error);
      logger.warn("the audio cannot be kept", { jobId, folder, reason });
      return null;
    }
  }

  #wholeFile(): Promise<Uint8Array> {
    return this.#spool.read(0, this.#spool.size);
  }
}
