/**
 * Says how to make a readable file, for the end of a message; empty when `extension` is null because ffmpeg cannot read
 * such files.
 */
export function convertHint(extension: string | null): string {
  if (extension === null) return "";
  return `. Convert it with: ffmpeg -i clip.${extension} -vn ${extension === "wav" ? "converted" : "clip"}.wav`;
}
