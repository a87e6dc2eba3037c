export type * from "./speech/types.ts";
export { findProfile } from "./prompt/profiles.ts";
export { parseReferenceNames } from "./prompt/references.ts";
export { listScenePresets, resolveScene } from "./prompt/scenes.ts";
export { refuseControlStrings } from "./text/control-strings.ts";
