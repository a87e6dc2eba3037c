/**
 * Says how to make a file that can be read, to be put at the end of a message; empty where `extension` is null because
 * ffmpeg reads no such files.
 */
export function convertHint(extension: string | null): string {
  if (extension === null) return "";
  return `. Convert it with: ffmpeg -i clip.${extension} -vn ${extension === "wav" ? "converted" : "clip"}.wav`;
}
