export { pauseMark } from "./speech-marks.ts";
