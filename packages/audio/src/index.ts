export { AUDIO_FORMATS, type AudioEncoderStream, type AudioFormat } from "./audio-encoder.ts";
export { decodeAndResample } from "./decoding/decode-audio.ts";
export { describeOther, sniffAudio } from "./decoding/sniff-audio.ts";
export { AudioMeter, type AudioMeasures, measureAudio } from "./measure.ts";
export { encoderFor, streamEncoderFor } from "./encoders.ts";
export {
  openOutputPcm,
  openOutputStream,
  outputSampleRate,
  type OutputOptions,
  type OutputStream,
} from "./output-stream.ts";
export { SAMPLE_RATES_HZ } from "./sample-rates.ts";
export { MAX_SPEED, MIN_SPEED } from "./stretch/time-stretch.ts";
export { loadReference } from "./load-reference.ts";
export { speechWeight } from "./reference/speech-weight.ts";
export { resample } from "./resample/resample.ts";
export { drawWaveformPng } from "./waveform/png.ts";
export { drawWaveformText } from "./waveform/terminal.ts";
export { floatToPcm16, pcm16ToBytes } from "./pcm16.ts";
