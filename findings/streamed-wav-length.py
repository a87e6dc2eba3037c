# A WAV stream whose header says "0 bytes of data" is empty to Python's readers; 0xFFFFFFFF is read to the end.
# packages: soundfile==0.14.0 numpy==2.4.6
#
# A WAV header comes before its samples, so a program that streams does not know the length yet. Writing 0 looks like the honest
# choice. ffmpeg and browsers then read to the end; libsndfile and Python's wave module believe the 0, without an error.
import io, struct, sys, wave
import soundfile

SAMPLES = 24_000
UNKNOWN = 0xFFFFFFFF


def stream(riff_size, data_size):
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", riff_size, b"WAVE", b"fmt ", 16, 1, 1, 24_000, 48_000, 2, 16, b"data", data_size)
    return head + struct.pack("<h", 1000) * SAMPLES


def frames_by_wave(data):
    try:
        with wave.open(io.BytesIO(data)) as file:
            return len(file.readframes(file.getnframes())) // 2
    except (wave.Error, EOFError) as error:
        return f"error: {error}"


def frames_by_libsndfile(data):
    return len(soundfile.read(io.BytesIO(data))[0])


print(f"{SAMPLES} samples; Python {sys.version.split()[0]}, {soundfile.__libsndfile_version__}")
seen = {}
for name, sizes in {
    "right sizes": (36 + 2 * SAMPLES, 2 * SAMPLES),
    "RIFF 0xFFFFFFFF, data 0xFFFFFFFF": (UNKNOWN, UNKNOWN),
    "RIFF 0xFFFFFFFF, data 0": (UNKNOWN, 0),
    "RIFF 0, data 0": (0, 0),
}.items():
    data = stream(*sizes)
    seen[name] = (frames_by_wave(data), frames_by_libsndfile(data))
    print(f"{name:34} wave: {seen[name][0]!s:28} soundfile: {seen[name][1]}")

holds = (
    seen["RIFF 0xFFFFFFFF, data 0xFFFFFFFF"] == (SAMPLES, SAMPLES)
    and seen["RIFF 0xFFFFFFFF, data 0"] == (0, 0)
    and seen["RIFF 0, data 0"][1] == 0
)
print("still so" if holds else "no longer so")
sys.exit(0 if holds else 1)
