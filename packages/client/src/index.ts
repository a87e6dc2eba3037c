export { HiggsApiError } from "./http/api-error.ts";
export type { HttpClientOptions, RequestOptions } from "./http/http-client.ts";
export type { JobInput } from "./job-input.ts";
export type { AudioItem, FinalItem, JobChapter, JobOutput, JobProgress, JobQuality, StreamItem } from "./job-output.ts";
export {
  type JobOptions,
  type JobState,
  type JobStatus,
  RunPodEndpoint,
  type RunPodEndpointOptions,
  type S3Config,
} from "./runpod-endpoint.ts";
export {
  type NewConsent,
  type NewVoice,
  type SpeechAudio,
  SpeechClient,
  type SpeechClientOptions,
  type SpeechStream,
  type Voice,
} from "./speech-client.ts";
export type { SpeechRequest } from "./speech-request.ts";
export type {
  SessionAudio,
  SessionConfig,
  SessionOptions,
  SpeechSession,
  WebSocketClass,
  WebSocketLike,
} from "./speech-session.ts";
