import type { TextOptions } from "./text-options.ts";
import type { StepResult, TextStep } from "./text-step.ts";

/** From text as people write it to plain text with marks (README). */
export async function prepareText(text: string, options: TextOptions): Promise<StepResult> {
  let prepared = text;
  const warnings: string[] = [];
  for (const step of await stepsFor(options)) {
    const result = await step(prepared, options);
    prepared = result.text;
    warnings.push(...result.warnings);
  }
  return { text: prepared, warnings };
}

/** The steps in their order. Each is loaded when a text needs it. */
async function stepsFor({ format, spellsOut }: TextOptions): Promise<TextStep[]> {
  const steps: TextStep[] = [];
  if (format !== "raw") steps.push((await import("./dialogue/read-dialogue.ts")).readDialogue);
  if (spellsOut) steps.push((await import("./spell-out/spell-out.ts")).spellOut);
  return steps;
}
