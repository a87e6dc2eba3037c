export { ERRORS, type ErrorCode, type ErrorDefinition } from "./registry.ts";
export { HiggsError, isHiggsError, toHiggsError, type HiggsErrorOptions } from "./higgs-error.ts";
