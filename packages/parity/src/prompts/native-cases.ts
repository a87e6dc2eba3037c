import path from "node:path";
import * as v from "valibot";
import {
  applyDelayPattern,
  type CodebookConfig,
  type Codes,
  loadTextTokenizer,
  type MessagePart,
  type TextTokenizer,
} from "@higgs-worker/higgs-audio/parts";
import { buildNativePrompt, type NativeMessage } from "../native/native-prompt.ts";
import { describeDifference, firstDifference } from "../frame/compare.ts";
import { casesOfFile, readGoldenJson } from "../frame/files.ts";
import { lazy } from "../frame/lazy.ts";
import { failed, passed } from "../frame/outcome.ts";
import type { GoldenCase, GoldenOutcome } from "../frame/types.ts";

const GROUP = "prompts";
const FILE = "prompts/native.json";
const CHECKPOINT = "tiny/lm-native";

const Part = v.variant("type", [
  v.object({ type: v.literal("text"), text: v.string() }),
  v.object({ type: v.literal("audio"), clip: v.string() }),
]);

const Case = v.object({
  name: v.string(),
  messages: v.array(v.object({ role: v.string(), content: v.union([v.string(), v.array(Part)]) })),
  text: v.string(),
  ids: v.array(v.number()),
  clips: v.array(v.string()),
  columns: v.optional(v.array(v.array(v.number()))),
});

const Config = v.object({
  num_codebooks: v.number(),
  codebook_size: v.number(),
  audio_stream_bos_id: v.number(),
  audio_stream_eos_id: v.number(),
});

const ClipCodes = v.object({
  clips: v.array(v.object({ name: v.string(), native_codes: v.array(v.array(v.number())) })),
});

interface NativeSet {
  readonly tokenizer: TextTokenizer;
  readonly config: CodebookConfig;
  readonly codesByName: ReadonlyMap<string, Codes>;
}

/** Conversations through the native template (spec model §5.6): text, expanded ids, delayed columns; exact. */
export async function* collectNativeCases(directory: string): AsyncIterable<GoldenCase> {
  yield* casesOfFile(GROUP, FILE, async () => {
    const { cases } = v.parse(v.object({ cases: v.array(Case) }), await readGoldenJson(directory, FILE));
    const load = lazy(() => loadSet(directory));
    return cases.map((expected) => ({
      group: GROUP,
      name: `native.${expected.name}`,
      run: async () => compareConversation(expected, await load()),
    }));
  });
}

async function loadSet(directory: string): Promise<NativeSet> {
  const config = v.parse(Config, await readGoldenJson(directory, `${CHECKPOINT}/config.json`));
  const { clips } = v.parse(ClipCodes, await readGoldenJson(directory, "codec/encode.json"));
  return {
    tokenizer: await loadTextTokenizer(path.join(directory, CHECKPOINT)),
    config: {
      numCodebooks: config.num_codebooks,
      idsPerCodebook: config.codebook_size,
      audioStreamBosId: config.audio_stream_bos_id,
      audioStreamEosId: config.audio_stream_eos_id,
    },
    codesByName: new Map(
      clips.map(({ name, native_codes }) => [name, native_codes.map((row) => Int32Array.from(row))]),
    ),
  };
}

function compareConversation(expected: v.InferOutput<typeof Case>, set: NativeSet): GoldenOutcome {
  const messages = expected.messages.map((message) => toMessage(message, set));
  const { text, ids, clips } = buildNativePrompt(messages, set.tokenizer, set.config);
  const names = clips.map((codes) => [...set.codesByName].find(([, known]) => known === codes)?.[0]);
  const actual = { text, ids, clips: names, columns: clips.length === 0 ? undefined : columnsOf(clips, set.config) };
  const difference = firstDifference(
    { text: expected.text, ids: expected.ids, clips: expected.clips, columns: expected.columns },
    actual,
  );
  if (difference !== null) return failed(describeDifference(difference));
  return passed(`${ids.length} ids, ${clips.length} clips equal`);
}

function toMessage(message: v.InferOutput<typeof Case>["messages"][number], set: NativeSet): NativeMessage {
  if (typeof message.content === "string") return { role: message.role, content: message.content };
  const content = message.content.map((part): MessagePart => {
    if (part.type === "text") return { kind: "text", text: part.text };
    const codes = set.codesByName.get(part.clip);
    if (codes === undefined) throw new Error(`codec/encode.json: no clip ${part.clip}`);
    return { kind: "clip", codes };
  });
  return { role: message.role, content };
}

/** Delayed columns of all clips as `columns[codebook][column]`. */
function columnsOf(clips: readonly Codes[], config: CodebookConfig): number[][] {
  const columns = clips.flatMap((codes) => [...applyDelayPattern(codes, config)]);
  return Array.from({ length: config.numCodebooks }, (_, codebook) =>
    columns.filter((_id, index) => index % config.numCodebooks === codebook),
  );
}
