/** The end of a sentence, with what closes it, before white space; or a full stop of a script without spaces; or a line's end. */
const SENTENCE_END = /[.!?…]+["'”’»)\]]*(?=\s)|[。！？]+["”’」』）]*|\n/gu;

/** A sentence shorter than this waits for the next one: “Dr.” and “No. 5” are not sentences, and short ones sound cut off. */
const MIN_CHARS = 24;

/** Cuts text that arrives in pieces into sentences. */
export class SentenceCutter {
  #text = "";

  /** The sentences that this text completes. */
  push(text: string): string[] {
    this.#text += text;
    const sentences: string[] = [];
    let start = 0;
    for (const match of this.#text.matchAll(SENTENCE_END)) {
      const end = match.index + match[0].length;
      if (this.#text.slice(start, end).trim().length < MIN_CHARS) continue;
      sentences.push(this.#text.slice(start, end).trim());
      start = end;
    }
    this.#text = this.#text.slice(start);
    return sentences;
  }

  /** What is left. */
  end(): string[] {
    const rest = this.#text.trim();
    this.#text = "";
    return rest === "" ? [] : [rest];
  }
}
