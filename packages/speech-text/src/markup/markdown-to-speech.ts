import { HiggsError } from "@higgs-worker/base";
import createMarkdown, { type MarkdownIt, type RendererRule, type Token } from "markdown-it";
import footnotes from "markdown-it-footnote";
import type { TextOptions } from "../text-options.ts";
import type { StepResult } from "../text-step.ts";
import { withoutFrontMatter } from "./front-matter.ts";
import { htmlToSpeech } from "./html-to-speech.ts";

/** Quotes and lists within each other; the parser leaves out what is deeper. */
const MAX_NESTING = 100;

const SILENT: RendererRule = () => "";

/** What begins like a turn of a dialogue keeps its line. */
const TURN_START = /^\s{0,9}[[({<【（《]?\s?speaker[\s_-]{0,3}\p{Nd}/iu;

/**
 * Markdown (CommonMark with GitHub's tables, strikethrough and footnotes, and HTML in it) as speech text.
 *
 * @throws {HiggsError} INVALID_INPUT when quotes and lists are nested too deeply
 */
export function markdownToSpeech(markdown: string, options: Pick<TextOptions, "code">): StepResult {
  const parser = createParser();
  const environment = {};
  const tokens = parser.parse(withoutFrontMatter(markdown), environment);
  refuseDeepNesting(tokens);
  removeTaskBoxes(tokens);
  return htmlToSpeech(parser.renderer.render(tokens, parser.options, environment), options);
}

/** Addresses are not rendered: they are not spoken, and a short text can repeat a long one very often. */
function createParser(): MarkdownIt {
  const parser = createMarkdown({ html: true, maxNesting: MAX_NESTING }).use(footnotes);
  const { rules } = parser.renderer;
  rules["link_open"] = SILENT;
  rules["link_close"] = SILENT;
  rules["image"] = (tokens, index, settings, environment, self) =>
    parser.utils.escapeHtml(self.renderInlineAsText(tokens[index]?.children ?? [], settings, environment));
  rules["softbreak"] = (tokens, index) => (startsTurn(tokens, index + 1) ? "<br>" : "\n");
  rules["footnote_ref"] = SILENT;
  rules["footnote_anchor"] = SILENT;
  return parser;
}

function startsTurn(tokens: readonly Token[], index: number): boolean {
  const next = tokens.slice(index, index + 3).find(({ content }) => content !== "");
  return TURN_START.test(next?.content ?? "");
}

function refuseDeepNesting(tokens: readonly Token[]): void {
  const deepest = tokens.reduce((level, token) => Math.max(level, token.level), 0);
  if (deepest < MAX_NESTING - 1) return;
  const reason = `its quotes and lists are nested too deeply (got ${deepest + 1} levels or more, limit ${MAX_NESTING - 1})`;
  throw new HiggsError("INVALID_INPUT", "read the transcript as Markdown", reason);
}

/** `[ ]` and `[x]` before an item say whether it is done, in GitHub's lists of tasks. */
function removeTaskBoxes(tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    const text = token.children?.[0];
    if (token.type !== "inline" || tokens[index - 2]?.type !== "list_item_open" || text?.type !== "text") continue;
    text.content = text.content.replace(/^\[[ xX]\]\s/, "");
  }
}
