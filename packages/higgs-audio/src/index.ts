export type * from "./speech/types.ts";
export { loadSpeechModel, type LoadSpeechModelOptions } from "./speech/load-speech-model.ts";
export {
  type EngineHostOptions,
  type EngineProcess,
  type EngineProcessOptions,
  type EngineState,
  startEngineProcess,
} from "./engine-host/engine-process.ts";
export { openWeights, type LoadProgress } from "./model/open-weights.ts";
export { chooseDevice, loadLibrary, openDevice, type OpenDeviceOptions } from "./model/device.ts";
export { type ConvertedModel, convertCheckpoint } from "./checkpoint/convert/convert-checkpoint.ts";
export type { WeightFormat } from "./checkpoint/weight-format.ts";
export { findProfile } from "./prompt/profiles.ts";
export { parseReferenceNames } from "./prompt/references.ts";
export { ReferenceEncoder, type ClipEncoder } from "./voices/reference-encoder.ts";
export { clipSamples, hashSamples } from "./voices/clip-samples.ts";
export { VoiceLibrary, type LoadedVoice, type NewVoice, type Voice, type VoiceFolder } from "./voices/voice-library.ts";
export { MAX_VOICE_AUDIO_BYTES, type VoiceMetadata } from "./voices/voice-files.ts";
export { normalizeVoiceName, voiceNameProblem } from "./voices/voice-name.ts";
export { listScenePresets, resolveScene } from "./prompt/scenes.ts";
export { controlStringProblem, refuseControlStrings } from "./text/control-strings.ts";
export { isSpeakable } from "./text/speakable.ts";
export { withoutSpeakerTags } from "./text/speaker-tags.ts";
export { openCheckpoint, openCodec, type CodecCheckpoint, type LmCheckpoint } from "./checkpoint/open-checkpoint.ts";
export type { CheckpointTensor } from "./checkpoint/tensor-plan.ts";
export { collectGoldenCases, GOLDEN_GROUPS } from "./golden/groups.ts";
export { failed as failedGolden, passed as passedGolden, runGoldenCase } from "./golden/outcome.ts";
export { casesOfFile as casesOfGoldenFile, readGoldenJson } from "./golden/files.ts";
export { GoldenTensors } from "./golden/tensors.ts";
export type { GoldenCase, GoldenCollector, GoldenCompute, GoldenOptions, GoldenOutcome } from "./golden/types.ts";
// For measurements: the parts of a speech model, and random ones of the released shapes.
export { concatenateSamples } from "./codec/samples.ts";
export { LanguageModel } from "./model/language-model.ts";
export { RandomWeightSource } from "./model/random-weight-source.ts";
export type { WeightSource } from "./model/weight-source.ts";
export { RELEASED_CODEC_CONFIG, RELEASED_HIGGS_CONFIG } from "./checkpoint/released-config.ts";
export { CodecDecoder } from "./codec/codec-decoder.ts";
export { CodecEncoder } from "./codec/codec-encoder.ts";
export { randomCodec } from "./codec/random-codec.ts";
export { ColumnDecoder } from "./engine/column-decoder.ts";
export { ChunkRandom } from "./engine/rng.ts";
export { Sampler } from "./engine/sampling/sampler.ts";
