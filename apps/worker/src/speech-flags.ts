import { Option, type Command } from "commander";

interface SpeechFlag {
  /** Field of the job input. */
  readonly field: string;
  readonly flag: string;
  readonly kind: "number" | "text";
  readonly description: string;
}

/** The generation fields of the job input, as flags of `higgs speak`. */
const SPEECH_FLAGS: readonly SpeechFlag[] = [
  {
    field: "ref_audio",
    flag: "--ref-audio <voice>",
    kind: "text",
    description: "voices, profile:NAME, an address, or an audio file",
  },
  {
    field: "scene_prompt",
    flag: "--scene-prompt <scene>",
    kind: "text",
    description: "preset, `empty`, or the scene in words",
  },
  { field: "temperature", flag: "--temperature <t>", kind: "number", description: "0 … 2, 0 is greedy" },
  { field: "top_k", flag: "--top-k <k>", kind: "number", description: "0 … 1026, 0 is off" },
  { field: "top_p", flag: "--top-p <p>", kind: "number", description: "above 0 … 1" },
  {
    field: "max_new_tokens",
    flag: "--max-new-tokens <n>",
    kind: "number",
    description: "audio frames a chunk at most, 25 a second",
  },
  { field: "chunk_method", flag: "--chunk-method <method>", kind: "text", description: "speaker, word or none" },
  { field: "chunk_max_word_num", flag: "--chunk-max-word-num <n>", kind: "number", description: "words a chunk" },
  {
    field: "chunk_max_num_turns",
    flag: "--chunk-max-num-turns <n>",
    kind: "number",
    description: "speaker turns a chunk",
  },
  {
    field: "generation_chunk_buffer_size",
    flag: "--generation-chunk-buffer-size <n>",
    kind: "number",
    description: "chunks kept in the prompt",
  },
  {
    field: "ras_win_len",
    flag: "--ras-win-len <n>",
    kind: "number",
    description: "columns that repetitions are looked for in, 0 is off",
  },
  {
    field: "ras_win_max_num_repeat",
    flag: "--ras-win-max-num-repeat <n>",
    kind: "number",
    description: "repetitions allowed, 0 is off",
  },
  { field: "seed", flag: "--seed <n>", kind: "number", description: "the same seed gives the same audio" },
];

/** Adds the flags; their values are checked with the job's own schema later. */
export function addSpeechFields(command: Command): void {
  for (const { flag, description } of SPEECH_FLAGS)
    command.addOption(new Option(flag, description).helpGroup("Speech:"));
  command.addOption(
    new Option("--ref-transcript <text>", "what is said in the --ref-audio file or address").helpGroup("Speech:"),
  );
  command.addOption(
    new Option("--ref-audio-in-system-message", "describe the voices to the model instead of letting them speak first")
      .default(false)
      .helpGroup("Speech:"),
  );
  command.addOption(
    new Option("--ref-allow-loopback", "read --ref-audio addresses of this machine too, also http")
      .default(false)
      .helpGroup("Speech:"),
  );
  command.addOption(new Option("--no-normalize", "speak the text exactly as it is written").helpGroup("Speech:"));
}

/** The fields that were given. What is no number stays text, so that the schema can say so. */
export function speechFieldsOf(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields: Record<string, unknown> = flags["normalize"] === false ? { normalize: false } : {};
  if (flags["refAudioInSystemMessage"] === true) fields["ref_audio_in_system_message"] = true;
  for (const { field, flag, kind } of SPEECH_FLAGS) {
    const value = flags[new Option(flag).attributeName()];
    if (typeof value !== "string") continue;
    fields[field] = kind === "number" && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : value;
  }
  return fields;
}
