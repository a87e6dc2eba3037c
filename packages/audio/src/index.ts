export { AUDIO_FORMATS, type AudioEncoder, type AudioFormat, type EncodeOptions } from "./audio-encoder.ts";
export { measureAudio, type AudioMeasures } from "./measure.ts";
export { floatToPcm16, pcm16ToBytes } from "./pcm16.ts";
export { wavEncoder } from "./wav/encoder.ts";
export { drawWaveformPng, type WaveformPngOptions } from "./waveform/png.ts";
export { drawWaveformText, type WaveformTextOptions } from "./waveform/terminal.ts";
