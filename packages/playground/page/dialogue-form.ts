import { element } from "./dom.ts";
import type { ListedVoice } from "./server.ts";
import type { DialogueLine } from "./speech-request.ts";

/** The lines of a dialogue, each with the voice that speaks it. */
export class DialogueForm {
  readonly #list = element("lines", HTMLOListElement);
  readonly #onChange: () => void;
  #voices: readonly ListedVoice[] = [];

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    element("add-line", HTMLButtonElement).addEventListener("click", () => {
      const last = this.lines.at(-1)?.voice ?? "";
      const others = this.#voices.filter(({ id }) => id !== last);
      this.#add({ voice: others[0]?.id ?? "", text: "" }).focus();
      onChange();
    });
  }

  get lines(): readonly DialogueLine[] {
    return [...this.#list.children].map((row) => ({
      voice: row.querySelector("select")?.value ?? "",
      text: row.querySelector("textarea")?.value ?? "",
    }));
  }

  setVoices(voices: readonly ListedVoice[]): void {
    this.#voices = voices;
    this.show([
      { voice: voices[0]?.id ?? "", text: "" },
      { voice: voices[1]?.id ?? voices[0]?.id ?? "", text: "" },
    ]);
  }

  show(lines: readonly DialogueLine[]): void {
    this.#list.replaceChildren();
    for (const line of lines) this.#add(line);
  }

  #add({ voice, text }: DialogueLine): HTMLTextAreaElement {
    const row = document.createElement("li");
    const select = document.createElement("select");
    select.ariaLabel = "Voice of this line";
    select.append(new Option("the model’s choice", ""), ...this.#voices.map(({ id, name }) => new Option(name, id)));
    select.value = voice;
    const words = document.createElement("textarea");
    words.rows = 1;
    words.ariaLabel = "What this voice says";
    words.value = text;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "quiet";
    remove.ariaLabel = "Remove this line";
    remove.textContent = "✕";
    remove.addEventListener("click", () => {
      row.remove();
      this.#onChange();
    });
    row.append(select, words, remove);
    this.#list.append(row);
    return words;
  }
}
