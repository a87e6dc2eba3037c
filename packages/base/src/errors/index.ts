/** What the start of a command needs of this package: the whole of it takes longer to load than everything else. */
export { HiggsError, toHiggsError } from "./higgs-error.ts";
