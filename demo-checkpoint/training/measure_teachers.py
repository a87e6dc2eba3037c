#!/usr/bin/env python3
"""Which synthesizer should teach? Each speaks the same held-out sentences, and pocketsphinx transcribes them.

    apt-get install flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts espeak-ng pocketsphinx pocketsphinx-en-us
    python measure_teachers.py --out TEACHERS -n 20 [--set open]

Prints the word error rate, the seconds of speech a sentence, and how fast the synthesizer is (seconds of speech a second of
processor time), and keeps the audio in TEACHERS/NAME for the ear.
"""
import argparse, os, resource, subprocess
import numpy as np
from evaluate import wer
from make_data import held_out

SR = 24000
FLITE = ["slt", "rms", "awb", "kal16"]
FESTIVAL = ["kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts"]
ESPEAK = ["en-us", "en-us+f3", "en-gb"]


def command(engine, voice, text, wav):
    if engine == "flite": return ["flite", "-voice", voice, "-t", text, wav], None
    if engine == "espeak-ng": return ["espeak-ng", "-v", voice, "-w", wav, text], None
    return ["text2wave", "-eval", f"(voice_{voice})", "-o", wav], text


def say(engine, voice, text, wav):
    import scipy.signal, soundfile as sf
    args, stdin = command(engine, voice, text, wav)
    subprocess.run(args, input=stdin, text=True, check=True, capture_output=True)
    x, sr = sf.read(wav, dtype="float32")
    y = scipy.signal.resample_poly(x, SR // np.gcd(SR, sr), sr // np.gcd(SR, sr))
    return y * (0.08 / (np.sqrt(np.mean(y ** 2)) + 1e-9))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True); p.add_argument("-n", type=int, default=20); p.add_argument("--set", choices=["heldout", "open"], default="heldout")
    a = p.parse_args()
    texts = held_out()[a.set == "open"][:a.n]
    for engine, voices in (("flite", FLITE), ("festival", FESTIVAL), ("espeak-ng", ESPEAK)):
        for voice in voices:
            keep = f"{a.out}/{engine}-{voice}"; os.makedirs(keep, exist_ok=True)
            used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
            t = used()
            try: ys = [say(engine, voice, s, f"{keep}/said.wav") for s in texts]
            except (OSError, subprocess.CalledProcessError) as e:
                print(engine, voice, "is not there:", type(e).__name__, flush=True); continue
            t = used() - t; secs = sum(map(len, ys)) / SR
            print(f"{engine} {voice}: WER {wer(texts, ys, 0, keep)[0]:.3f}, {secs / len(ys):.2f} s a sentence, x{secs / t:.0f} real time", flush=True)


if __name__ == "__main__":
    main()
