export { canonicalLanguage } from "./language/language-tag.ts";
export { prepareText } from "./prepare-text.ts";
export { withoutMarks } from "./speech-marks.ts";
export type { TextOptions } from "./text-options.ts";
