import { createHash, timingSafeEqual } from "node:crypto";

/** True if the header is the key, with or without `Bearer`, as the platform takes it (spec platform §5.4). */
export function isAuthorized(header: string | undefined, key: string): boolean {
  const given = (header ?? "").replace(/^Bearer\s+/i, "");
  return timingSafeEqual(digest(given), digest(key));
}

// Digests are equally long, which timingSafeEqual asks for, and hide the length of the key.
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
