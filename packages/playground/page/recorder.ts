/** A recording from the microphone. */
export interface Recording {
  /** Ends it and gives what was recorded, as the browser encodes it. */
  stop(): Promise<Blob>;
}

/**
 * Begins to record.
 *
 * @throws {Error} when there is no microphone, or the person does not allow it
 */
export async function startRecording(): Promise<Recording> {
  if (!("mediaDevices" in navigator)) throw new Error("Recording needs https or localhost.");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } }).catch(() => {
    throw new Error("The browser gave no microphone.");
  });
  const recorder = new MediaRecorder(stream);
  const parts: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  recorder.start();
  return {
    stop: () =>
      new Promise((resolve) => {
        recorder.addEventListener(
          "stop",
          () => {
            for (const track of stream.getTracks()) track.stop();
            resolve(new Blob(parts, { type: recorder.mimeType }));
          },
          { once: true },
        );
        recorder.stop();
      }),
  };
}

/** A file's bytes as base64. */
export async function base64Of(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const slices: string[] = [];
  for (let at = 0; at < bytes.length; at += 0x6000)
    slices.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000))));
  return slices.join("");
}
