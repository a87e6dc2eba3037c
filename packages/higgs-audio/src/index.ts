export type * from "./speech/types.ts";
export {
  drawSeed,
  type EarlierSpeech,
  type ResolvedSpeechRequest,
  type Reference,
  type ReferenceClip,
  type SpeechRequest,
  type SpokenChunk,
} from "./speech/speech-request.ts";
export { SpeechMemory } from "./speech/earlier-speech.ts";
export type { ReferenceProfile } from "./prompt/references.ts";
export type { SamplingOptions } from "./engine/generation-options.ts";
export { loadSpeechModel, type LoadSpeechModelOptions } from "./speech/load-speech-model.ts";
export {
  type EngineHostOptions,
  type EngineProcess,
  type EngineProcessOptions,
  type EngineState,
  startEngineProcess,
} from "./engine-host/engine-process.ts";
export { type ConvertedModel, convertCheckpoint } from "./checkpoint/convert/convert-checkpoint.ts";
export type { WeightFormat } from "./checkpoint/weight-format.ts";
export { findProfile } from "./prompt/profiles.ts";
export { clipSamples, hashSamples } from "./voices/clip-samples.ts";
export { ChunkFolder, type ChunkFolderOptions, sweepChunkFolder, type SweepLimits } from "./resume/chunk-folder.ts";
export type { ChunkKey, ChunkStore, StoredChunk, StoredPart } from "./resume/stored-chunk.ts";
export { VoiceLibrary, type LoadedVoice, type NewVoice, type Voice, type VoiceFolder } from "./voices/voice-library.ts";
export { ConsentStore, type VoiceConsent } from "./voices/consent-store.ts";
export { MAX_VOICE_AUDIO_BYTES, type VoiceMetadata } from "./voices/voice-files.ts";
export { normalizeVoiceName, voiceNameProblem } from "./voices/voice-name.ts";
export { listScenePresets, resolveScene } from "./prompt/scenes.ts";
export { withoutSpeakerTags } from "./text/speaker-tags.ts";
export type { LoadProgress } from "./model/open-weights.ts";
export { concatenateSamples } from "@higgs-worker/base";
