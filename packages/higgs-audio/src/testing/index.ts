/** What the tests of other packages share with this one's. In the repository only: nothing of it is built or published. */
export { createSmallTokenizer, smallTokenizerJson } from "../tokenizer/testing/small-tokenizer.ts";
export {
  createColumnGenerator,
  describeColumnRules,
  framesOf,
  runColumns,
} from "../engine/testing/describe-column-rules.ts";
export { CODEBOOKS, rowsOf, scriptedLogits, smallCodebooks, uniformsOf } from "../engine/testing/scripted-logits.ts";
export { type SlowSegment, undelayed } from "../engine/testing/slow-columns.ts";
