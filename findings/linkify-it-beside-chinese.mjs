// linkify-it finds no e-mail address right behind a Chinese letter or a colon, and takes Chinese letters into the host before www.
// packages: linkify-it@6.1.0
//
// Chinese and Japanese stand without spaces, so every address in such a text is written right behind a letter. Letters are allowed in
// front of the @ and in hosts, and the colon is no character that an address may follow. Give the library a copy of the text
// of the same length with spaces in the place of these letters and of the colon; its positions hold for the text itself.
import { LinkifyIt } from "linkify-it";

const linkify = new LinkifyIt({ fuzzyLink: true });
const found = (text) => (linkify.match(text) ?? []).map(({ raw }) => raw).join(", ");
const texts = ["E-Mail: a@example.com", "E-Mail:a@example.com", "邮箱a@example.com", "请访问www.example.com。"];
for (const text of texts) console.log(`${text} → ${found(text) || "nothing"}`);

const [spaced, colon, chinese, host] = texts.map(found);
const isStillSo =
  spaced === "a@example.com" && colon === "" && chinese !== "a@example.com" && host !== "www.example.com";
console.log(isStillSo ? "still so" : "no longer so");
process.exitCode = isStillSo ? 0 : 1;
