import { HiggsError } from "@higgs-worker/base";
import { SaxesParser } from "saxes";
import type { TextOptions } from "../text-options.ts";
import type { StepResult } from "../text-step.ts";
import { refuseDeep } from "./nesting.ts";
import { joinBlocks, SpeechWriter, type VoiceName } from "./speech-writer.ts";
import { spellCharacters } from "./spell-characters.ts";
import { breakSeconds, elementProblem } from "./ssml-elements.ts";
import { speakerByName, tagsFor } from "./ssml-voices.ts";

type Attributes = Readonly<Record<string, string>>;

/** Further problems are only counted. */
const MAX_LISTED_PROBLEMS = 20;

/**
 * SSML, or a part of it without `<speak>`, as speech text. No entities but those of XML itself are known, so nothing is fetched and
 * nothing grows.
 *
 * @throws {HiggsError} INVALID_INPUT when it is not well-formed, or has elements or attributes that mean nothing here; the reason has
 *   the places
 */
export function ssmlToSpeech(ssml: string, { voices }: Pick<TextOptions, "voices">): StepResult {
  const reader = new SsmlReader(voices);
  const document = ssml.trimStart().startsWith("<?xml") ? ssml.trimStart() : ssml;
  const parser = new SaxesParser({ xmlns: false as const, fragment: !document.startsWith("<?xml") });
  // Positions of a tag are known where its name ends.
  let place = "";
  parser.on("error", ({ message }) => reader.fail(message));
  parser.on("doctype", () => reader.refuseDoctype());
  parser.on("opentagstart", ({ name }) => (place = placeOf(parser.line, parser.column - name.length - 1)));
  parser.on("opentag", ({ name, attributes }) => reader.open(name, attributes, place));
  parser.on("text", (text) => reader.text(text));
  parser.on("cdata", (text) => reader.text(text));
  parser.on("closetag", ({ name }) => reader.close(name));
  parser.write(document).close();
  return reader.finish();
}

/** Takes the events of a parser. Nothing here calls itself, so that no nesting is too deep. */
class SsmlReader {
  readonly #voices: TextOptions["voices"];
  readonly #writer = new SpeechWriter();
  /** Voices of the open `<voice>`s, the inner last. */
  readonly #speaking: VoiceName[] = [null];
  readonly #problems: string[] = [];
  #problemCount = 0;
  #depth = 0;
  #notWellFormed: string | null = null;
  #hasDoctype = false;
  /** Elements open within a `<sub>`, which is not heard. */
  #silentDepth = 0;
  /** Pieces of what is spelled; null outside. */
  #spelled: string[] | null = null;
  #spelledDepth = 0;

  constructor(voices: TextOptions["voices"]) {
    this.#voices = voices;
  }

  fail(message: string): void {
    this.#notWellFormed ??= message;
  }

  refuseDoctype(): void {
    this.#hasDoctype = true;
  }

  open(name: string, attributes: Attributes, place: string): void {
    refuseDeep(++this.#depth);
    const problem = elementProblem(name, attributes) ?? this.#voiceProblem(name, attributes);
    if (problem !== null) this.#refuse(place, `<${name.slice(0, 40)}> ${problem}`);
    if (this.#silentDepth > 0) {
      this.#silentDepth++;
    } else if (this.#spelled !== null) {
      this.#spelledDepth++;
    } else if (name === "sub") {
      this.#writer.write(attributes["alias"] ?? "");
      this.#silentDepth = 1;
    } else if (name === "say-as") {
      this.#spelled = [];
      this.#spelledDepth = 1;
    } else {
      this.#openPart(name, attributes);
    }
  }

  text(text: string): void {
    if (this.#silentDepth > 0) return;
    if (this.#spelled !== null) this.#spelled.push(text);
    else this.#writer.write(text);
  }

  close(name: string): void {
    this.#depth--;
    if (this.#silentDepth > 0) {
      this.#silentDepth--;
    } else if (this.#spelled !== null) {
      this.#spelledDepth--;
      if (this.#spelledDepth > 0) return;
      this.#writer.write(spellCharacters(this.#spelled.join("")));
      this.#spelled = null;
    } else {
      this.#closePart(name);
    }
  }

  finish(): StepResult {
    if (this.#hasDoctype) throw refused("a document type declaration is not supported (got one, limit none)");
    if (this.#notWellFormed !== null) throw refused(notWellFormed(this.#notWellFormed));
    if (this.#problemCount > 0) {
      const more = this.#problemCount - this.#problems.length;
      throw refused(this.#problems.join("; ") + (more > 0 ? `; and ${more} more` : ""), this.#problems);
    }
    const blocks = this.#writer.take();
    return { text: joinBlocks(blocks, tagsFor(blocks, this.#voices)), warnings: [] };
  }

  #refuse(place: string, problem: string): void {
    this.#problemCount++;
    if (this.#problems.length < MAX_LISTED_PROBLEMS) this.#problems.push(`${place}: ${problem}`);
  }

  #voiceProblem(name: string, attributes: Attributes): string | null {
    if (name !== "voice" || this.#voices.length === 0) return null;
    const voice = attributes["name"] ?? "";
    if (speakerByName(voice, this.#voices) !== null) return null;
    const names = this.#voices.filter((known) => known !== null);
    const list = [...names, "SPEAKERn"].join(", ");
    return `names a voice that is not in ref_audio (got ${JSON.stringify(voice.slice(0, 40))}, limit ${list})`;
  }

  #openPart(name: string, attributes: Attributes): void {
    const writer = this.#writer;
    if (name === "p") {
      writer.endBlock("paragraph");
    } else if (name === "s") {
      writer.endSentence();
    } else if (name === "break") {
      const seconds = breakSeconds(attributes);
      if (typeof seconds === "number" && seconds > 0) writer.pause(seconds);
    } else if (name === "voice") {
      const voice = attributes["name"]?.trim() ?? null;
      this.#speaking.push(voice);
      writer.speakAs(voice);
    }
  }

  #closePart(name: string): void {
    if (name === "p") {
      this.#writer.endBlock("paragraph");
    } else if (name === "s") {
      this.#writer.endSentence();
    } else if (name === "voice") {
      if (this.#speaking.length > 1) this.#speaking.pop();
      this.#writer.speakAs(this.#speaking.at(-1) ?? null);
    }
  }
}

function placeOf(line: number, column: number): string {
  return `line ${line}, column ${column}`;
}

/** Of a parser's message, which begins with `line:column:`. */
function notWellFormed(message: string): string {
  const [, line = "?", column = "?", what = message] = /^(\d+):(\d+): (.*)$/s.exec(message) ?? [];
  const reason = what.replace(/\.$/, "").slice(0, 100);
  return `it is not well-formed at line ${line}, column ${column}: ${reason}; write & as &amp; and < as &lt;`;
}

function refused(reason: string, problems: readonly string[] = [reason]): HiggsError {
  return new HiggsError("INVALID_INPUT", "read the transcript as SSML", reason, { problems: [...problems] });
}
