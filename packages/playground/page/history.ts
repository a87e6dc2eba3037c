import { element } from "./dom.ts";
import { clockText } from "./peaks.ts";
import type { SpeechTake } from "./speech-take.ts";

/** Kept in this page only; it is gone when the page is closed. */
const MAX_TAKES = 20;

export interface HistoryActions {
  readonly play: (take: SpeechTake) => void;
  readonly repeat: (take: SpeechTake) => void;
}

/** What was spoken since the page was opened. */
export class History {
  readonly #list = element("history", HTMLOListElement);
  readonly #actions: HistoryActions;

  constructor(actions: HistoryActions) {
    this.#actions = actions;
  }

  add(take: SpeechTake): void {
    element("history-section", HTMLElement).hidden = false;
    this.#list.prepend(this.#row(take));
    while (this.#list.children.length > MAX_TAKES) this.#list.lastElementChild?.remove();
  }

  #row(take: SpeechTake): HTMLLIElement {
    const row = document.createElement("li");
    const words = document.createElement("span");
    words.className = "words";
    words.textContent = `${clockText(take.durationSeconds)} · ${take.body.input}`;
    row.append(
      words,
      button("Play", () => this.#actions.play(take)),
      button("Use again", () => this.#actions.repeat(take)),
    );
    return row;
  }
}

function button(text: string, onClick: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  made.addEventListener("click", onClick);
  return made;
}
