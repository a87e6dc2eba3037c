/** What tests use of the library, whose own types name their files without extensions. */
declare module "media-captions" {
  export function parseText(
    text: string,
    options: { readonly strict: boolean; readonly type: "srt" | "vtt" },
  ): Promise<{
    readonly cues: readonly { readonly startTime: number; readonly endTime: number; readonly text: string }[];
    readonly errors: readonly Error[];
  }>;
}
