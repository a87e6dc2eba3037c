import { element } from "./dom.ts";
import { base64Of, type Recording, startRecording } from "./recorder.ts";
import type { ListedVoice } from "./server.ts";
import type { Clip } from "./speech-request.ts";

/** What a job may carry of a clip, in bytes. */
const MAX_CLIP_BYTES = 10_000_000;

/** The choice of a voice: one of the library, or a clip from a file or the microphone. */
export class VoiceForm {
  readonly #select = element("voice", HTMLSelectElement);
  readonly #transcript = element("clip-transcript", HTMLInputElement);
  readonly #consent = element("consent", HTMLInputElement);
  readonly #tell: (text: string, isBad?: boolean) => void;
  #clip: { readonly name: string; readonly base64: string } | null = null;
  #recording: Recording | null = null;

  constructor(tell: (text: string, isBad?: boolean) => void) {
    this.#tell = tell;
    const file = element("clip-file", HTMLInputElement);
    element("upload", HTMLButtonElement).addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      const [chosen] = file.files ?? [];
      file.value = "";
      if (chosen !== undefined) void this.#take(chosen, chosen.name);
    });
    element("record", HTMLButtonElement).addEventListener("click", () => {
      this.#toggleRecording().catch((error: unknown) =>
        tell(error instanceof Error ? error.message : String(error), true),
      );
    });
    element("clip-remove", HTMLButtonElement).addEventListener("click", () => this.#remove());
  }

  get voice(): string {
    return this.#select.value;
  }

  get clip(): Clip | null {
    return this.#clip === null ? null : { ...this.#clip, transcript: this.#transcript.value };
  }

  get hasConsent(): boolean {
    return this.#consent.checked;
  }

  setVoices(voices: readonly ListedVoice[]): void {
    this.#select.replaceChildren(
      new Option("the model’s choice", ""),
      ...voices.map(({ id, name, description }) => new Option(description ? `${name}: ${description}` : name, id)),
    );
  }

  async #take(file: Blob, name: string): Promise<void> {
    if (file.size > MAX_CLIP_BYTES) {
      this.#tell(
        `The clip is too large (${(file.size / 1e6).toFixed(1)} MB, at most ${MAX_CLIP_BYTES / 1e6} MB).`,
        true,
      );
      return;
    }
    this.#clip = { name: nameOf(name), base64: await base64Of(file) };
    const audio = element("clip-audio", HTMLAudioElement);
    if (audio.src !== "") URL.revokeObjectURL(audio.src);
    audio.src = URL.createObjectURL(file);
    element("clip-name", HTMLElement).textContent = name;
    element("clip", HTMLElement).hidden = false;
    this.#consent.checked = false;
    this.#select.disabled = true;
    this.#transcript.focus();
    this.#changed();
  }

  #remove(): void {
    this.#clip = null;
    element("clip", HTMLElement).hidden = true;
    this.#select.disabled = false;
    this.#select.focus();
    this.#changed();
  }

  async #toggleRecording(): Promise<void> {
    const button = element("record", HTMLButtonElement);
    if (this.#recording === null) {
      this.#recording = await startRecording();
      button.setAttribute("aria-pressed", "true");
      button.textContent = "■ Stop recording";
      this.#tell("Recording: speak for five to fifteen seconds.");
      return;
    }
    const recording = this.#recording;
    this.#recording = null;
    button.setAttribute("aria-pressed", "false");
    button.textContent = "● Record";
    await this.#take(await recording.stop(), "recording");
    this.#tell("Recorded.");
  }

  /** As if it had been typed, so that the page shows the request anew. */
  #changed(): void {
    this.#select.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** What the server takes as a name: letters, digits, dashes and underscores. */
function nameOf(file: string): string {
  const stem = file.replace(/\.[^.]*$/, "").replaceAll(/[^\p{L}\p{N}_-]+/gu, "-");
  return stem === "" ? "clip" : stem.slice(0, 64);
}
