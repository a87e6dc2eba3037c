import { integer, optionalTruth, truth } from "./job-field.ts";

/** Attempts at one chunk beside the first; each may cost as much time as the first. */
const MAX_RETRIES = 10;

/** What is done so that the whole text is heard, in one voice, and well. */
export const QUALITY_FIELDS = {
  allow_truncated: truth({
    defaultValue: false,
    meaning:
      "`true`: audio that ends before its text does is a result with a warning; else the job fails with `AUDIO_TRUNCATED`",
    help: "accept audio that ends before its text does",
  }),
  voice_consistency: optionalTruth({
    meaning:
      "`true`: the first chunk of each speaker stays in every prompt, so that the voice does not change in a long text; clips in `ref_audio` take its place; `null` is `true` where the text is divided at its sentences",
    help: "let the first chunk go from the prompts of a long text",
  }),
  guard: truth({
    defaultValue: true,
    meaning: "`false`: chunks are not examined, so none is spoken again and `quality` has no findings",
    help: "do not examine the speech for faults",
  }),
  max_retries: integer({
    min: 0,
    max: MAX_RETRIES,
    defaultValue: 2,
    meaning: "how often a chunk that the guard finds bad is spoken again, as long as the job's time limit allows it",
    placeholder: "<n>",
  }),
  retry_seeded: truth({
    defaultValue: false,
    meaning: "`true`: bad chunks are spoken again also when `seed` is given; else only when it was drawn",
    help: "speak bad chunks again although a seed is given",
  }),
};
