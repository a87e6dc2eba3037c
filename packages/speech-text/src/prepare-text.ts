import { HiggsError } from "@higgs-worker/base";
import type { TextOptions } from "./text-options.ts";
import type { StepResult, TextStep } from "./text-step.ts";

/**
 * From text as people write it to plain text with marks (README).
 *
 * @throws {HiggsError} INVALID_INPUT when the text is not what `format` says, or becomes too long
 */
export async function prepareText(text: string, options: TextOptions): Promise<StepResult> {
  let prepared = text;
  const warnings: string[] = [];
  for (const step of await stepsFor(options)) {
    const result = await step(prepared, options);
    prepared = result.text;
    warnings.push(...result.warnings);
    refuseLong(prepared, options);
  }
  if (!options.spellsOut) return { text: prepared, warnings };
  const { spellOut } = await import("./spell-out/spell-out.ts");
  const spelled = await spellOut(prepared, options);
  return { text: spelled.text, warnings: [...warnings, ...spelled.warnings] };
}

/** The steps that read a text, in their order. Each is loaded when a text needs it. */
async function stepsFor({ format }: TextOptions): Promise<readonly TextStep[]> {
  if (format === "raw") return [];
  return await Promise.all([
    markupStep(format),
    import("./clean/emoji.ts").then(({ speakEmoji }) => speakEmoji),
    import("./clean/clean-characters.ts").then(({ cleanCharacters }) => cleanCharacters),
    import("./dialogue/read-dialogue.ts").then(({ readDialogue }) => readDialogue),
    import("./sound-tags/sound-tag-warnings.ts").then(({ warnOfSoundTags }) => warnOfSoundTags),
  ]);
}

async function markupStep(format: Exclude<TextOptions["format"], "raw">): Promise<TextStep> {
  if (format === "markdown") return (await import("./markup/markdown-to-speech.ts")).markdownToSpeech;
  if (format === "html") return (await import("./markup/html-to-speech.ts")).htmlToSpeech;
  if (format === "ssml") return (await import("./markup/ssml-to-speech.ts")).ssmlToSpeech;
  return (await import("./markup/markup-hints.ts")).warnOfMarkup;
}

function refuseLong({ length }: string, { maxCharacters }: TextOptions): void {
  if (length <= maxCharacters) return;
  const reason = `what is spoken of it is too long (got ${length} characters, limit ${maxCharacters})`;
  throw new HiggsError("INVALID_INPUT", "read the transcript", reason);
}
