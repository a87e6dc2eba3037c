import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { findMp3Frame, id3Bytes, readMp3FrameHeader } from "./frame-header.ts";

/** How often the duration is checked: about 4 s at the lowest bit rate, 8 kbit/s. */
const SLICE_BYTES = 4_096;

/**
 * MP3 and MP2 by mpg123, without the silence that encoders add at both ends, if the file says how much. Frames that cannot
 * be decoded are skipped, as players do: tags in the middle of a stream look like such frames.
 */
export const mp3Decoder: AudioDecoder = { decode: decodeMp3 };

async function decodeMp3(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  // The tag can be larger than the audio (pictures), and mpg123 would read it slice by slice.
  const stream = bytes.subarray(id3Bytes(bytes));
  const header = findMp3Frame(stream, stream.length) ?? readMp3FrameHeader(stream, 0);
  if (header === null) throw referenceInvalid("it contains no MP3 frame");
  pcm.begin(header.sampleRateHz, header.channels);
  const { MPEGDecoder } = await import("mpg123-decoder");
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    for (let start = 0; start < stream.length; start += SLICE_BYTES) {
      const decoded = decoder.decode(stream.subarray(start, start + SLICE_BYTES));
      if (decoded.samplesDecoded === 0) continue;
      if (decoded.sampleRate !== header.sampleRateHz) {
        throw referenceInvalid(
          `its sample rate changes (got ${decoded.sampleRate} Hz after ${header.sampleRateHz} Hz)`,
        );
      }
      // Always two channels; they are the same for a mono file.
      pcm.push(decoded.channelData.slice(0, header.channels));
    }
  } finally {
    decoder.free();
  }
}
