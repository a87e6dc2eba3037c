// CLDR's rules for French ordinals say "quatre-vingt-et-unième" for 81st and "deux cent-et-unième" for 201st.
// packages: cldr-rbnf@48.2.0
//
// The rules for what follows 80 and whole hundreds use the part that vingt and trente need ("vingt-et-unième"). French says
// "quatre-vingt-unième" and "deux cent unième". Take the "et" out where the number is not one of 21 … 71.
import { createRequire } from "node:module";

const { rbnf } = createRequire(import.meta.url)("cldr-rbnf/rbnf/fr.json").rbnf;
const behind = (set) => rbnf.SpelloutRules[set].find(([base]) => base === "1")?.[1];
console.log(
  `behind quatre-vingt: ${behind("%%subcents-o")} behind cent: ${behind("%%cents-o")} et: ${behind("%%et-unieme")}`,
);
const isStillSo = [behind("%%subcents-o"), behind("%%cents-o")].every((rule) => rule?.includes("%%et-unieme"));
console.log(isStillSo ? "still so" : "no longer so");
process.exitCode = isStillSo ? 0 : 1;
