import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytesSource, type ObjectStore, type StoreRequest } from "../storage/object-store.ts";

export function storeRequest(key: string, content = "RIFF audio"): StoreRequest {
  const bytes = new TextEncoder().encode(content);
  return {
    key,
    audio: bytesSource(bytes),
    mimeType: "audio/wav",
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** Reads an object without the store; null when it does not exist. */
  readonly read: (key: string) => string | null;
  /** Names of everything in the store, including temporary files. */
  readonly list: () => string[];
}

/** What every store must do. */
export function describeObjectStore(name: string, setUp: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  describe(`ObjectStore ${name}`, () => {
    it.each(["a.wav", "deep/er/a.wav", "with space & plus+ü%20é'()*!~.wav", "日本/音.wav"])("keeps %s", async (key) => {
      const { store, read, list } = await setUp();
      await store.put(storeRequest(key));
      expect(read(key)).toBe("RIFF audio");
      expect(list()).toEqual([key]);
    });

    it("replaces what was there", async () => {
      const { store, read, list } = await setUp();
      await store.put(storeRequest("a.wav", "old and longer"));
      await store.put(storeRequest("a.wav", "new"));
      expect(read("a.wav")).toBe("new");
      expect(list()).toEqual(["a.wav"]);
    });

    it("keeps nothing when the request was cancelled before", async () => {
      const { store, list } = await setUp();
      const put = store.put(storeRequest("a.wav"), { signal: AbortSignal.abort() });
      await expect(put).rejects.toMatchObject({ code: "CANCELLED" });
      expect(list()).toEqual([]);
    });
  });
}
