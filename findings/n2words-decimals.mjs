// n2words says 3.14 as "three point fourteen" and 21 000 in Spanish as "veintiuno mil", which nobody says.
// packages: n2words@4.0.0
//
// Decimals behind the point are read as one number in every language but Chinese and Japanese, and Spanish numbers that end in one
// keep their long form before a thousand or million. "dieciseis" lacks its accent too. Say decimals digit by digit, or take
// the words from CLDR's rule-based number formats.
import { toCardinal as english } from "n2words/en-US";
import { toCardinal as spanish } from "n2words/es-ES";

const spoken = [english("3.14"), spanish(21_000), spanish(16)];
console.log(spoken.join("; "));
const isStillSo = spoken[0] === "three point fourteen" && spoken[1] === "veintiuno mil" && spoken[2] === "dieciseis";
console.log(isStillSo ? "still so" : "no longer so");
process.exitCode = isStillSo ? 0 : 1;
