# libsndfile reads only the first of two joined Ogg Opus files, without an error.
# packages: soundfile==0.14.0 numpy==2.4.6
#
# Ogg allows chained links: two valid files, concatenated, are a valid file, and ffmpeg and opusdec play both. libsndfile
# stops after the first link. So a client must not concatenate parts that are separate files.
import io, sys
import numpy, soundfile

RATE = 24_000


def opus(seconds):
    times = numpy.arange(int(RATE * seconds)) / RATE
    file = io.BytesIO()
    soundfile.write(file, 0.3 * numpy.sin(2 * numpy.pi * 220 * times), RATE, format="OGG", subtype="OPUS")
    return file.getvalue()


def read(data):
    return len(soundfile.read(io.BytesIO(data))[0])


long, short = opus(3.0), opus(1.0)
print(soundfile.__libsndfile_version__)
results = {"long": read(long), "short": read(short), "long + short": read(long + short), "short + long": read(short + long)}
for name, samples in results.items():
    print(f"{name:14} {samples} samples")
holds = results["long + short"] == results["long"] and results["short + long"] == results["short"]
print("still so" if holds else "no longer so")
sys.exit(0 if holds else 1)
