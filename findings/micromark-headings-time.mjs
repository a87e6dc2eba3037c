// micromark needs some ten times as long for four times as many underlined headings: ten seconds for 12 000 characters of "a\n=\n".
// packages: micromark@4.0.3
//
// Each heading moves the events of the text that was read before it. A few kilobytes keep a server busy. Bound the text, or
// take a parser whose time grows with the text, as markdown-it's does.
import { micromark } from "micromark";

const secondsFor = (headings) => {
  const start = performance.now();
  micromark("a\n=\n".repeat(headings));
  return (performance.now() - start) / 1000;
};
secondsFor(100);
const [few, many] = [secondsFor(750), secondsFor(3000)];
console.log(
  `750 headings: ${few.toFixed(2)} s, 3000 headings: ${many.toFixed(2)} s, ${(many / few).toFixed(1)} times as long`,
);
const isStillSo = many / few > 6;
console.log(isStillSo ? "still so" : "no longer so");
process.exitCode = isStillSo ? 0 : 1;
