/** S3 limits keys to 1024 bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/** Stores that keep objects as files cannot have longer names, and only say so at the upload. */
export const MAX_SEGMENT_BYTES = 240;

/** What is wrong with a key, or null. Refuses what a store, a URL or a folder would read as another name. */
export function keyProblem(key: string): string | null {
  if (key === "") return "is empty";
  if (byteCount(key) > MAX_KEY_BYTES) return `is too long (limit ${MAX_KEY_BYTES} bytes)`;
  if (/\p{Cc}/u.test(key)) return "has control characters";
  if (/\p{Surrogate}/u.test(key)) return "is not valid Unicode";
  if (key.startsWith("/") || key.endsWith("/")) return "begins or ends with a slash";
  if (key.includes("\\")) return "has a backslash";
  if (key.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
    return "has an empty segment, `.` or `..`";
  }
  const longest = Math.max(...key.split("/").map(byteCount));
  if (longest > MAX_SEGMENT_BYTES) {
    return `has a name between slashes that is too long (got ${longest} bytes, limit ${MAX_SEGMENT_BYTES})`;
  }
  return null;
}

function byteCount(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

export interface KeyFacts {
  readonly jobId: string;
  readonly seed: number;
  /** File extension without the dot. */
  readonly extension: string;
  readonly now: Date;
  readonly uuid: string;
}

/** Fills in a key template; unknown placeholders stay. Job ids are reduced to characters that are safe in keys. */
export function fillKeyTemplate(template: string, facts: KeyFacts): string {
  const iso = facts.now.toISOString();
  const values: Readonly<Record<string, string>> = {
    job_id: facts.jobId.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 128) || "job",
    date: iso.slice(0, 10),
    time: iso.slice(11, 19).replaceAll(":", ""),
    uuid: facts.uuid,
    seed: String(facts.seed),
    ext: facts.extension,
  };
  return template.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}
