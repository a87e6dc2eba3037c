//! AAC by `syom` and ALAC by `alac` behind a small C interface, one stream per instance.
//!
//! The host writes bytes to `input(len)` and calls `open`, then `input` and `decode` for each packet or slice. After each
//! `decode` it reads `sample_count()` floats from each `plane(channel)`. A file that makes a library panic traps, and the
//! host drops the instance. Nothing is imported.

use std::cell::UnsafeCell;

use syom::{AacError, DecodeOptions, Decoder, Frame};

/// ADTS or LATM, to be fed in slices of any size; no configuration.
const AAC_STREAM: u32 = 0;
/// Access units as containers hold them; the configuration is an AudioSpecificConfig.
const AAC_PACKETS: u32 = 1;
/// Packets of Apple Lossless; the configuration is its magic cookie.
const ALAC_PACKETS: u32 = 2;

const OK: i32 = 0;
/// The bytes are damaged.
const DAMAGED: i32 = 1;
/// They are of a profile that the library does not decode.
const UNSUPPORTED: i32 = 2;
/// The rate or the channels changed in the middle.
const CHANGED: i32 = 3;

/// What encoders write is 4096; a much larger packet of Apple Lossless is made to fill the memory.
const MAX_ALAC_FRAME_LENGTH: u32 = 65_536;

const MAX_ALAC_CHANNELS: u8 = 8;

enum Codec {
    None,
    AacStream(Decoder),
    AacPackets(Decoder),
    Alac(alac::Decoder, Vec<i32>),
}

/// What the last call decoded.
struct Output {
    sample_rate: u32,
    planes: Vec<Vec<f32>>,
    changed: bool,
}

impl Output {
    const EMPTY: Self = Self { sample_rate: 0, planes: Vec::new(), changed: false };

    fn clear(&mut self) {
        for plane in &mut self.planes {
            plane.clear();
        }
    }

    /// The planes to append to; none where the stream is not what it was before.
    fn planes(&mut self, sample_rate: u32, channels: usize) -> &mut [Vec<f32>] {
        if self.planes.is_empty() {
            self.sample_rate = sample_rate;
            self.planes = vec![Vec::new(); channels];
        }
        self.changed |= self.sample_rate != sample_rate || self.planes.len() != channels;
        if self.changed { &mut [] } else { &mut self.planes }
    }

    fn push_frame(&mut self, frame: &Frame<'_>) {
        let planes = self.planes(frame.sample_rate, frame.planar.len());
        for (plane, samples) in planes.iter_mut().zip(frame.planar) {
            plane.extend_from_slice(samples);
        }
    }

    fn push_interleaved(&mut self, sample_rate: u32, channels: usize, samples: &[i32]) {
        for (channel, plane) in self.planes(sample_rate, channels).iter_mut().enumerate() {
            plane.extend(samples.iter().skip(channel).step_by(channels).map(|&x| x as f32 / 2f32.powi(31)));
        }
    }
}

struct State {
    input: Vec<u8>,
    codec: Codec,
    output: Output,
    message: String,
}

struct Global(UnsafeCell<State>);

// The module has no threads, and no export calls another one: there is never a second reference.
unsafe impl Sync for Global {}

static STATE: Global = Global(UnsafeCell::new(State {
    input: Vec::new(),
    codec: Codec::None,
    output: Output::EMPTY,
    message: String::new(),
}));

fn state() -> &'static mut State {
    unsafe { &mut *STATE.0.get() }
}

/// Room for `len` bytes, which the next `open` or `decode` reads.
#[unsafe(no_mangle)]
pub extern "C" fn input(len: usize) -> *mut u8 {
    let input = &mut state().input;
    input.clear();
    input.resize(len, 0);
    input.as_mut_ptr()
}

/// Starts a stream of one of the three kinds; the configuration is in `input`.
#[unsafe(no_mangle)]
pub extern "C" fn open(kind: u32) -> i32 {
    let State { input, codec, output, message } = state();
    *output = Output::EMPTY;
    let opened = match kind {
        AAC_STREAM => Ok(Codec::AacStream(Decoder::new(DecodeOptions::unbounded()))),
        AAC_PACKETS => Decoder::from_asc(input, DecodeOptions::unbounded())
            .map(Codec::AacPackets)
            .map_err(|error| aac_failure(&error, message)),
        ALAC_PACKETS => open_alac(input, message),
        _ => Err(UNSUPPORTED),
    };
    match opened {
        Ok(new) => {
            *codec = new;
            OK
        }
        Err(code) => code,
    }
}

/// Decodes what is in `input`: a packet, or the next slice of a stream.
#[unsafe(no_mangle)]
pub extern "C" fn decode() -> i32 {
    let State { input, codec, output, message } = state();
    output.clear();
    let push = |frame: Frame<'_>| {
        output.push_frame(&frame);
        Ok(())
    };
    let decoded = match codec {
        Codec::None => Err(UNSUPPORTED),
        Codec::AacStream(decoder) => {
            decoder.feed(input, push).map(|_| ()).map_err(|error| aac_failure(&error, message))
        }
        Codec::AacPackets(decoder) => decoder.decode_au(input, push).map_err(|error| aac_failure(&error, message)),
        Codec::Alac(decoder, samples) => decode_alac(decoder, input, samples, output, message),
    };
    status(decoded, output)
}

/// Decodes what is left of a stream at its end.
#[unsafe(no_mangle)]
pub extern "C" fn finish() -> i32 {
    let State { codec, output, message, .. } = state();
    output.clear();
    let finished = match codec {
        Codec::AacStream(decoder) => decoder
            .finish(|frame| {
                output.push_frame(&frame);
                Ok(())
            })
            .map(|_| ())
            .map_err(|error| aac_failure(&error, message)),
        _ => Ok(()),
    };
    status(finished, output)
}

/// Of what was decoded; 0 before the first frame.
#[unsafe(no_mangle)]
pub extern "C" fn sample_rate() -> u32 {
    state().output.sample_rate
}

/// Of what was decoded; 0 before the first frame.
#[unsafe(no_mangle)]
pub extern "C" fn channel_count() -> usize {
    state().output.planes.len()
}

/// Samples of each channel that the last call decoded.
#[unsafe(no_mangle)]
pub extern "C" fn sample_count() -> usize {
    state().output.planes.first().map_or(0, Vec::len)
}

/// The samples of a channel, valid until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn plane(channel: usize) -> *const f32 {
    state().output.planes.get(channel).map_or(std::ptr::null(), |plane| plane.as_ptr())
}

/// Why the last call failed, in UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn message() -> *const u8 {
    state().message.as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn message_length() -> usize {
    state().message.len()
}

fn status(result: Result<(), i32>, output: &Output) -> i32 {
    match result {
        Err(code) => code,
        Ok(()) if output.changed => CHANGED,
        Ok(()) => OK,
    }
}

fn aac_failure(error: &AacError, message: &mut String) -> i32 {
    *message = error.to_string();
    if matches!(error, AacError::Unsupported(_)) { UNSUPPORTED } else { DAMAGED }
}

fn open_alac(cookie: &[u8], message: &mut String) -> Result<Codec, i32> {
    let info = alac::StreamInfo::from_cookie(cookie).map_err(|error| {
        *message = error.to_string();
        DAMAGED
    })?;
    let is_supported = info.max_frames_per_packet() <= MAX_ALAC_FRAME_LENGTH
        && (1..=MAX_ALAC_CHANNELS).contains(&info.channels())
        && [16, 20, 24, 32].contains(&info.bit_depth());
    if !is_supported {
        *message = "sample size, channels or packet length out of range".to_owned();
        return Err(UNSUPPORTED);
    }
    let samples = vec![0; info.max_samples_per_packet() as usize];
    Ok(Codec::Alac(alac::Decoder::new(info), samples))
}

fn decode_alac(
    decoder: &mut alac::Decoder,
    packet: &[u8],
    samples: &mut [i32],
    output: &mut Output,
    message: &mut String,
) -> Result<(), i32> {
    let (sample_rate, channels) = (decoder.stream_info().sample_rate(), decoder.stream_info().channels());
    match decoder.decode_packet(packet, samples) {
        Ok(decoded) => {
            output.push_interleaved(sample_rate, usize::from(channels), decoded);
            Ok(())
        }
        Err(error) => {
            *message = error.to_string();
            Err(DAMAGED)
        }
    }
}
