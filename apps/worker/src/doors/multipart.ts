import { HiggsError } from "@higgs-worker/base";
import type { DoorHost } from "runpod-worker/http";
import { PublicApiError, readBytes } from "runpod-worker/http";
import type { DoorContext } from "./door-app.ts";

export interface UploadRules {
  readonly host: DoorHost;
  /** Bytes of the whole body. */
  readonly limitBytes: number;
}

/** The fields and files of an upload. */
export interface Upload {
  /** A text field; null when it is missing. */
  text(name: string): string | null;
  /** @throws {HiggsError} INVALID_INPUT when the file is missing, empty or text */
  file(name: string): Promise<UploadedFile>;
}

export interface UploadedFile {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** More parts than any client sends: each costs time to parse, whatever its size. */
const MAX_PARTS = 64;

/**
 * Reads a `multipart/form-data` body in bounded memory and time. The bytes count in the server's budget until `use` is done.
 *
 * @throws {PublicApiError} UNSUPPORTED_MEDIA_TYPE, TOO_LARGE, OVERLOADED, or INVALID_INPUT when it is malformed
 */
export function readUpload<T>(
  context: DoorContext,
  { host, limitBytes }: UploadRules,
  use: (upload: Upload) => Promise<T>,
): Promise<T> {
  const type = context.req.header("content-type") ?? "";
  const boundary = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  if (boundary === null) {
    const isUpload = /^multipart\/form-data\b/i.test(type);
    const got = type === "" ? "none" : isUpload ? "it without a boundary" : type.slice(0, 80);
    throw new PublicApiError(
      "UNSUPPORTED_MEDIA_TYPE",
      `Cannot read the upload: it must be sent as multipart/form-data (got ${got})`,
    );
  }
  const delimiter = `--${boundary[1] ?? boundary[2] ?? ""}`;
  return readBytes(context, { limitBytes, budget: host.queue.inputs }, async (bytes) => {
    checkParts(bytes, delimiter);
    return use(uploadOf(await parse(bytes, type)));
  });
}

function checkParts(bytes: Buffer, delimiter: string): void {
  let parts = 0;
  for (let at = bytes.indexOf(delimiter); at !== -1; at = bytes.indexOf(delimiter, at + delimiter.length)) {
    parts += 1;
    if (parts > MAX_PARTS + 1) throw malformed(`it has too many parts (limit ${MAX_PARTS})`);
  }
}

async function parse(bytes: Buffer<ArrayBuffer>, type: string): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { "content-type": type } }).formData();
  } catch {
    throw malformed("it is not well-formed multipart/form-data");
  }
}

function uploadOf(form: FormData): Upload {
  return {
    text: (name) => {
      const value = form.get(name);
      return typeof value === "string" ? value : null;
    },
    file: async (name) => {
      const value = form.get(name);
      if (value === null || typeof value === "string" || value.size === 0) {
        const why = `${name} must be a file that is not empty`;
        throw new HiggsError("INVALID_INPUT", "read the upload", why, { problems: [why] });
      }
      return { bytes: new Uint8Array(await value.arrayBuffer()), name: value.name };
    },
  };
}

function malformed(why: string): PublicApiError {
  return new PublicApiError("INVALID_INPUT", `Cannot read the upload: ${why}`);
}
