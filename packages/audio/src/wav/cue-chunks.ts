import type { FileChapter } from "../chapters.ts";
import { joinBytes } from "../join-bytes.ts";

const CUE_POINT_BYTES = 24;

/**
 * The chunks behind the samples that name places in them: a `cue ` with one point for each chapter, and their titles as labels in
 * an `adtl` list (Microsoft's Multimedia Data Standards Update, 1994). Labels are UTF-8, for which RIFF has no rule. Empty without chapters.
 */
export function cueChunks(chapters: readonly FileChapter[], sampleRateHz: number): Uint8Array {
  if (chapters.length === 0) return new Uint8Array(0);
  const points = chapters.map(({ startMs }, index) => {
    const sample = Math.round((startMs / 1000) * sampleRateHz);
    const point = Buffer.alloc(CUE_POINT_BYTES);
    point.writeUInt32LE(index + 1, 0);
    point.writeUInt32LE(sample, 4);
    point.write("data", 8, "latin1");
    // One data chunk, whose samples begin at 0 in both counts.
    point.writeUInt32LE(sample, 20);
    return point;
  });
  const labels = chapters.map(({ title }, index) =>
    chunk("labl", [uint32(index + 1), Buffer.from(`${title}\0`, "utf8")]),
  );
  return joinBytes([
    chunk("cue ", [uint32(points.length), ...points]),
    chunk("LIST", [Buffer.from("adtl"), ...labels]),
  ]);
}

/** With a byte behind an odd size. */
function chunk(id: string, parts: readonly Uint8Array[]): Uint8Array {
  const content = joinBytes([...parts]);
  return joinBytes([Buffer.from(id, "latin1"), uint32(content.length), content, new Uint8Array(content.length % 2)]);
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
