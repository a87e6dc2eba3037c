import type { SpeechThread } from "./speech-thread.ts";

/** Takes the audio of a job whose caller is in this process, so that it need not pass through JSON. */
export interface AudioTaker {
  /** `live`: parts while it is made, and no file. `file`: the whole as a file in the job's `output_format`. */
  readonly purpose: "live" | "file";
  /** Mono samples of a live job. The taker may keep the array. */
  readonly onAudio?: (pcm: Float32Array, sampleRateHz: number) => void;
  /** The file. */
  readonly onFile?: (file: Uint8Array) => void;
  /** What the job goes on from. */
  readonly thread?: SpeechThread | undefined;
}

/** An `AudioTaker` that the job handler recognizes among what the runtime passes on. */
export class AudioOutlet {
  readonly taker: AudioTaker;

  constructor(taker: AudioTaker) {
    this.taker = taker;
  }
}
