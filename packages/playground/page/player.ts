/** Types that browsers play while they arrive, in the order of preference per format. */
const LIVE_TYPES: Readonly<Record<string, string>> = { mp3: "audio/mpeg", webm: 'audio/webm;codecs="opus"' };

/** True if this browser plays the format while it arrives; all others are played when they are complete. */
export function playsLive(format: string): boolean {
  const type = LIVE_TYPES[format];
  return type !== undefined && "MediaSource" in globalThis && MediaSource.isTypeSupported(type);
}

/** Plays one answer in an audio element, from its first bytes on where the browser can. */
export class Player {
  readonly #element: HTMLAudioElement;
  #url: string | null = null;

  constructor(element: HTMLAudioElement) {
    this.#element = element;
  }

  /** Begins an answer; what comes in is played as it comes, or with `finish`. */
  open(format: string): Playback {
    const type = LIVE_TYPES[format];
    if (type === undefined || !playsLive(format)) {
      this.#show(null);
      return { push: async () => {}, finish: (file) => this.playFile(file) };
    }
    const source = new MediaSource();
    this.#show(URL.createObjectURL(source));
    const buffer = new Promise<SourceBuffer>((resolve, reject) => {
      source.addEventListener(
        "sourceopen",
        () => {
          try {
            const added = source.addSourceBuffer(type);
            if (format === "mp3") added.mode = "sequence";
            resolve(added);
          } catch (error) {
            reject(error);
          }
        },
        { once: true },
      );
    });
    buffer.catch(() => undefined);
    const element = this.#element;
    void element.play().catch(() => undefined);
    return {
      push: async (bytes) => {
        const target = await buffer;
        // A newer answer has taken the element.
        if (source.readyState !== "open") return;
        await appended(target, bytes);
      },
      finish: async () => {
        await buffer;
        if (source.readyState === "open") source.endOfStream();
      },
    };
  }

  /** Plays a file that is complete. */
  async playFile(file: Blob): Promise<void> {
    this.#show(URL.createObjectURL(file));
    await this.#element.play().catch(() => undefined);
  }

  #show(url: string | null): void {
    if (this.#url !== null) URL.revokeObjectURL(this.#url);
    this.#url = url;
    if (url === null) {
      this.#element.removeAttribute("src");
      this.#element.load();
    } else {
      this.#element.src = url;
    }
  }
}

export interface Playback {
  push(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The whole file, when all of it has arrived. */
  finish(file: Blob): Promise<void>;
}

function appended(buffer: SourceBuffer, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      buffer.removeEventListener("updateend", done);
      buffer.removeEventListener("error", failed);
    };
    const done = (): void => (settle(), resolve());
    const failed = (): void => (settle(), reject(new Error("this browser cannot play the audio")));
    buffer.addEventListener("updateend", done);
    buffer.addEventListener("error", failed);
    buffer.appendBuffer(bytes);
  });
}
