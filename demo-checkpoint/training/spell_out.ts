/** Texts as JSON on the standard input, on the output as the worker's front-end spells them: `tsx --conditions=source spell_out.ts`. */
import { text } from "node:stream/consumers";
import { prepareText, type TextOptions } from "../../packages/speech-text/src/index.ts";

const options: TextOptions = {
  format: "plain",
  code: "skip",
  emoji: "silent",
  voices: [],
  soundTags: [],
  maxCharacters: 10_000,
  spellsOut: true,
  language: "en",
};

const texts = JSON.parse(await text(process.stdin)) as string[];
const spelled: string[] = [];
for (const each of texts) spelled.push((await prepareText(each, options)).text);
process.stdout.write(JSON.stringify(spelled));
