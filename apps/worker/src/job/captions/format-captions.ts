import type { Cue } from "./cues.ts";

export type CaptionFormat = "srt" | "vtt";

/** Captions as the text of a file. WebVTT names speakers as voices (`<v SPEAKER0>`); SRT has no place for them. */
export function formatCaptions(cues: readonly Cue[], format: CaptionFormat): string {
  return format === "srt" ? formatSrt(cues) : formatVtt(cues);
}

function formatSrt(cues: readonly Cue[]): string {
  const blocks = cues.map(({ startSeconds, endSeconds, lines }, index) =>
    // An arrow in the text would be taken for a time.
    [index + 1, times(startSeconds, endSeconds, ","), ...lines.map((line) => line.replaceAll("-->", "→"))].join("\n"),
  );
  return `${blocks.join("\n\n")}\n`;
}

function formatVtt(cues: readonly Cue[]): string {
  const blocks = cues.map(({ startSeconds, endSeconds, speaker, lines }) => {
    const text = lines.map(escaped).join("\n");
    return `${times(startSeconds, endSeconds, ".")}\n${speaker === null ? "" : `<v ${speaker}>`}${text}`;
  });
  return `WEBVTT\n\n${blocks.join("\n\n")}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function times(startSeconds: number, endSeconds: number, point: "," | "."): string {
  const startMs = Math.round(startSeconds * 1000);
  // A cue that takes no time is not valid.
  return `${clockTime(startMs, point)} --> ${clockTime(Math.max(Math.round(endSeconds * 1000), startMs + 1), point)}`;
}

function clockTime(ms: number, point: "," | "."): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const clock = `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}`;
  return `${clock}${point}${String(ms % 1000).padStart(3, "0")}`;
}
