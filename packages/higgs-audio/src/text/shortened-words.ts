/** Shortened words that no sentence ends with. */
const NEVER_LAST = wordsOf(
  `mr mrs ms mx dr prof st gen col capt cpt lt sgt rev hon pres gov sen rep mt ft mme mlle me ste hr fr sra srta dra mag dipl
   ing approx vs viz ca bzw bspw ggf evtl inkl zzgl resp vgl sog tel str hrn frl dott avv sig arch ud uds exmo exma dhr mevr
   drs bijv np tzn ul tj tzv např bkz sn av см им ул т др डॉ`,
);
/** Shortened words that a sentence may end with, before a capital. */
const MAY_BE_LAST = wordsOf(
  "etc al sr jr est dept inc ltd co corp usw ecc enz osv itd itp atd vb г гг тыс млн млрд руб коп",
);
/** Shortened words before a number. */
const BEFORE_NUMBERS = wordsOf(
  "no nos nr num núm nº n vol fig figs abb p pp s pág pag ch chap cap kap sec art eq para abs ver v bd godz стр рис гл",
);
/** Letters with full stops between them: `e.g`, `U.S`, `z.B`, `EE.UU`. */
const DOTTED_LETTERS = /^[\p{Lu}\p{Ll}]{1,2}(?:\.\s?[\p{Lu}\p{Ll}]{1,2})+$/u;

/** `am 3. Oktober`, `im 19. Jahrhundert`, `der 2. Versuch`: a number that counts, in German. */
const MONTH_OR_CENTURY =
  /^(?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Jahrhundert|Jahrtausend|Jänner|Weltkrieg)/u;
const GERMAN_BEFORE_ORDINAL = /(?:^|\s)(?:der|das|dem|den|des|vom|zum|im)\s\d{1,2}\.$/iu;

/** How much of a text's end may matter. */
const TAIL_LENGTH = 64;

/**
 * Whether the full stop at the end belongs to a shortened word or an ordinal, so that what follows goes on: `Dr. Smith`, `No. 5`,
 * `J. R. Tolkien`, `e.g. this`, `am 3. Oktober`.
 *
 * @param text without blanks at its end
 * @param next what follows, without blanks at its start
 */
export function endsShortened(text: string, next: string): boolean {
  const tail = text.slice(-TAIL_LENGTH);
  const word = /(?<![\p{L}\p{N}.'’])([\p{L}\p{M}\p{N}.º]+)\.$/u.exec(tail)?.[1];
  if (word === undefined) return false;
  if (/^\p{Nd}{1,2}$/u.test(word)) return MONTH_OR_CENTURY.test(next) || GERMAN_BEFORE_ORDINAL.test(tail);
  const name = word.toLowerCase();
  if (DOTTED_LETTERS.test(word)) return true;
  if (NEVER_LAST.has(name)) return true;
  if (BEFORE_NUMBERS.has(name) && /^\p{N}/u.test(next)) return true;
  if (/^[\p{Lu}\p{Ll}]$/u.test(word)) return word !== "I";
  return MAY_BE_LAST.has(name) && !/^\p{Lu}/u.test(next);
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
