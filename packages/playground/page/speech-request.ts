/** A line of a dialogue. */
export interface DialogueLine {
  readonly voice: string;
  readonly text: string;
}

/** A clip to clone, from a file or the microphone. */
export interface Clip {
  readonly name: string;
  readonly base64: string;
  /** What is said in it. */
  readonly transcript: string;
}

/** What the form holds; empty text and null stand for the server's default. */
export interface FormState {
  readonly mode: "text" | "dialogue";
  readonly text: string;
  /** What the text is written in; lines of a dialogue are plain. */
  readonly textFormat: string;
  readonly lines: readonly DialogueLine[];
  /** A voice's id; empty for the model's own choice. */
  readonly voice: string;
  /** Instead of the voice. */
  readonly clip: Clip | null;
  /** A preset's name or a description. */
  readonly scene: string;
  readonly format: string;
  readonly seed: number | null;
  readonly temperature: number | null;
  readonly speed: number | null;
  /** Numbers, dates, money and addresses in words. */
  readonly spellsOut: boolean;
}

/** The body of `POST /v1/audio/speech`. */
export interface SpeechRequestBody {
  readonly input: string;
  readonly response_format: string;
  readonly [field: string]: unknown;
}

/**
 * The request that the form asks for.
 *
 * @throws {Error} with what is missing, for the person at the form
 */
export function requestOf(state: FormState): SpeechRequestBody {
  const { format, seed, temperature, speed, scene, spellsOut } = state;
  return {
    model: "higgs-audio-v2",
    ...(state.mode === "text" ? textPart(state) : dialoguePart(state.lines)),
    response_format: format,
    ...(scene.trim() === "" ? {} : { scene_prompt: scene.trim() }),
    ...(seed === null ? {} : { seed }),
    ...(temperature === null ? {} : { temperature }),
    ...(speed === null || speed === 1 ? {} : { speed }),
    ...(spellsOut ? { spell_out: true } : {}),
  };
}

/** What is said, and in which voices. */
type SpokenPart = Pick<SpeechRequestBody, "input"> & Readonly<Record<string, unknown>>;

function textPart({ text, textFormat, voice, clip }: FormState): SpokenPart {
  if (text.trim() === "") throw new Error("Type something to say.");
  const said = textFormat === "plain" ? { input: text } : { input: text, text_format: textFormat };
  if (clip !== null) {
    if (clip.transcript.trim() === "") throw new Error("Type what is said in the clip; the model needs it.");
    return {
      ...said,
      ref_audio: { name: clip.name, audio_base64: clip.base64, transcript: clip.transcript.trim() },
    };
  }
  return voice === "" ? said : { ...said, voice };
}

/** Speakers are numbered as they come up, each with the voice of its lines. */
function dialoguePart(lines: readonly DialogueLine[]): SpokenPart {
  const spoken = lines.filter(({ text }) => text.trim() !== "");
  if (spoken.length === 0) throw new Error("Type at least one line of the dialogue.");
  const voices = [...new Set(spoken.map(({ voice }) => voice))];
  const input = spoken
    .map(({ voice, text }) => `[SPEAKER${voices.indexOf(voice)}] ${text.trim().replaceAll(/\s*\n\s*/g, " ")}`)
    .join("\n");
  if (voices.includes("") && voices.length > 1) throw new Error("Choose a voice for every line, or for none.");
  return { input, ...(voices.includes("") ? {} : { voice: voices.join(",") }), chunk_method: "speaker" };
}
