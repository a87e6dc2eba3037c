export type * from "./speech/types.ts";
