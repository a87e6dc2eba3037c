import path from "node:path";
import { HiggsError, isHiggsError, type ErrorCode } from "@higgs-worker/base";
import * as v from "valibot";
import {
  buildFixedMessages,
  buildPrompt,
  type Codes,
  collectSpeakerTags,
  Conversation,
  findProfile,
  loadTextTokenizer,
  type Message,
  parseReferenceNames,
  planText,
  type PromptReference,
  type TextTokenizer,
  VOICE_PROFILES,
} from "@higgs-worker/higgs-audio/parts";
import { describeDifference, firstDifference } from "../frame/compare.ts";
import { casesOfFile, readGoldenJson } from "../frame/files.ts";
import { lazy } from "../frame/lazy.ts";
import { failed, passed } from "../frame/outcome.ts";
import { GoldenChunkMethod, GoldenLanguage, languageOf } from "./text-cases.ts";
import type { GoldenCase, GoldenOutcome } from "../frame/types.ts";

const GROUP = "prompts";
const FILE = "prompts/jobs.json";

const GoldenCodes = v.pipe(
  v.array(v.array(v.number())),
  v.transform((codes) => codes.map((row) => Int32Array.from(row))),
);

const Job = v.object({
  transcript: v.string(),
  /** Contents of the scene file. */
  scene_text: v.optional(v.string()),
  /** An argument that is not a file's path: the reference takes it for no scene. */
  scene_literal: v.optional(v.string()),
  ref_audio: v.optional(v.nullable(v.string()), null),
  ref_audio_in_system_message: v.optional(v.boolean(), false),
  /** Any word: the reference raises for one that it does not know. */
  chunk_method: v.optional(v.nullable(v.string()), null),
  chunk_max_word_num: v.optional(v.number(), 200),
  chunk_max_num_turns: v.optional(v.number(), 1),
  generation_chunk_buffer_size: v.optional(v.nullable(v.number()), null),
});

const GoldenMessage = v.object({
  role: v.string(),
  content: v.array(v.union([v.object({ text: v.string() }), v.object({ audio: v.literal(true) })])),
});

const GoldenPrompt = v.object({
  ids: v.array(v.number()),
  audio_clips: v.array(v.string()),
  audio_out_clips: v.array(v.string()),
});

const Answer = v.union([
  v.object({ job: Job, error: v.string() }),
  v.object({
    job: Job,
    fixed_messages: v.array(GoldenMessage),
    chunks: v.array(v.string()),
    prompts: v.array(GoldenPrompt),
    ...GoldenLanguage,
  }),
]);

const JobsFile = v.object({
  voices: v.record(v.string(), v.object({ transcript: v.string(), codes: GoldenCodes })),
  /** What the stub model "generates" for each chunk in turn. */
  generated: v.array(GoldenCodes),
  profiles: v.record(v.string(), v.string()),
  jobs: v.array(Answer),
});

type JobsFile = v.InferOutput<typeof JobsFile>;
type Job = v.InferOutput<typeof Job>;
type Answer = v.InferOutput<typeof Answer>;

/** Jobs through plan, conversation and prompt as in the reference's main loop (spec model §5.1 … §6.2); exact. */
export async function* collectJobCases(directory: string): AsyncIterable<GoldenCase> {
  yield* casesOfFile(GROUP, FILE, async () => {
    const file = v.parse(JobsFile, await readGoldenJson(directory, FILE));
    const loadTokenizer = lazy(() => loadTextTokenizer(path.join(directory, "tiny/lm-boson")));
    const jobs = file.jobs.map((answer, index) => ({
      group: GROUP,
      name: `jobs[${index}]`,
      run: async () => compareJob(answer, file, await loadTokenizer()),
    }));
    return [profilesCase(file), ...jobs];
  });
}

function profilesCase({ profiles }: JobsFile): GoldenCase {
  return {
    group: GROUP,
    name: "jobs.profiles",
    run: () => {
      const difference = firstDifference(profiles, Object.fromEntries(VOICE_PROFILES));
      return Promise.resolve(difference === null ? passed("equal") : failed(describeDifference(difference)));
    },
  };
}

function compareJob(answer: Answer, file: JobsFile, tokenizer: TextTokenizer): GoldenOutcome {
  if ("error" in answer) return compareError(answer, file);
  const plan = planJob(answer.job, file, answer);
  const actual = {
    fixed_messages: plan.fixedMessages.map(describeMessage),
    chunks: plan.chunks,
    prompts: speak(plan, answer.job, file, tokenizer),
  };
  const { fixed_messages, chunks, prompts } = answer;
  const difference = firstDifference({ fixed_messages, chunks, prompts }, actual);
  return difference === null ? passed(`${prompts.length} prompts equal`) : failed(describeDifference(difference));
}

/** What we throw where the reference raises. */
const ERROR_CODES: Readonly<Record<string, ErrorCode>> = {
  "voice file missing": "VOICE_NOT_FOUND",
  "profile missing": "VOICE_NOT_FOUND",
  "nothing to generate": "INVALID_INPUT",
};

function compareError(answer: { readonly job: Job; readonly error: string }, file: JobsFile): GoldenOutcome {
  const expected = ERROR_CODES[answer.error] ?? "INVALID_INPUT";
  try {
    planJob(answer.job, file, {});
  } catch (error) {
    if (!isHiggsError(error)) throw error;
    const detail = `${answer.error}: expected ${expected}, got ${error.code}`;
    return error.code === expected ? passed(detail) : failed(detail);
  }
  return failed(`${answer.error}: expected ${expected}, got a plan`);
}

interface JobPlan {
  readonly chunks: readonly string[];
  readonly fixedMessages: readonly Message[];
}

function planJob(job: Job, file: JobsFile, recorded: Parameters<typeof languageOf>[0]): JobPlan {
  const names = job.ref_audio === null ? [] : parseReferenceNames(job.ref_audio);
  const fixedMessages = buildFixedMessages({
    references: names.map((name) => find(name, file)),
    referencesInSystemMessage: job.ref_audio_in_system_message,
    scene: job.scene_text ?? null,
    speakerTags: collectSpeakerTags(job.transcript),
  });
  const request = {
    transcript: job.transcript,
    normalize: true,
    chunkMethod: "none",
    chunkMaxWordNum: job.chunk_max_word_num,
    chunkMaxNumTurns: job.chunk_max_num_turns,
  } as const;
  const { text } = planText(request);
  const chunkMethod = toChunkMethod(job.chunk_method) ?? "none";
  return { fixedMessages, chunks: planText({ ...request, chunkMethod }, languageOf(recorded, text)).chunks };
}

function toChunkMethod(method: string | null): v.InferOutput<typeof GoldenChunkMethod> {
  const parsed = v.safeParse(GoldenChunkMethod, method);
  if (parsed.success) return parsed.output;
  throw new HiggsError("INVALID_INPUT", "split the transcript", "the chunk method is unknown (limit speaker, word)");
}

function find({ kind, name }: ReturnType<typeof parseReferenceNames>[number], file: JobsFile): PromptReference {
  if (kind === "profile") return findProfile(name);
  const voice = Object.hasOwn(file.voices, name) ? file.voices[name] : undefined;
  if (voice === undefined)
    throw new HiggsError("VOICE_NOT_FOUND", "use the voice", "the golden set has no voice with that name");
  return { kind: "clip", ...voice };
}

function speak(plan: JobPlan, job: Job, file: JobsFile, tokenizer: TextTokenizer) {
  const names = new Map<Codes, string>();
  for (const [name, { codes }] of Object.entries(file.voices)) names.set(codes, `voice:${name}`);
  for (const [index, codes] of file.generated.entries()) names.set(codes, `generated:${index}`);
  const conversation = new Conversation(plan.fixedMessages, { bufferSize: job.generation_chunk_buffer_size });
  return plan.chunks.map((chunk, index) => {
    const { ids, clips } = buildPrompt(conversation.startChunk(chunk), tokenizer, { forceAudio: false });
    conversation.endChunk(file.generated[index % file.generated.length] ?? []);
    const namesOf = (kind: "in" | "out") =>
      clips.filter((clip) => clip.kind === kind).map(({ codes }) => names.get(codes));
    return { ids, audio_clips: namesOf("in"), audio_out_clips: namesOf("out") };
  });
}

function describeMessage({ role, parts }: Message) {
  return { role, content: parts.map((part) => (part.kind === "text" ? { text: part.text } : { audio: true })) };
}
