"""flite as a teacher: speech with the time of every phone and the token of the text that it belongs to.

Calls Debian's libflite directly (ctypes), which tells what the command line does not: the word, and so the token, of a phone.
A "speaker" is a flite voice played at a speed factor (pitch, formants and tempo change together), so a handful of voices
become many.
"""
import ctypes
from fractions import Fraction
import numpy as np

SR, HOP = 24000, 960
# (voice, speed factor, weight).  The first is the default voice, used whenever the prompt has no reference clip.
SPEAKERS = [("slt", 1.0, 8), ("rms", 1.0, 16), ("awb", 1.0, 16), ("kal16", 1.0, 16),
            ("slt", 0.86, 4), ("rms", 1.18, 5), ("rms", 0.9, 4), ("awb", 1.14, 4), ("kal16", 1.2, 5)]
LIBRARIES = {"slt": "cmu_us_slt", "rms": "cmu_us_rms", "awb": "cmu_us_awb", "kal16": "cmu_us_kal16"}


class Wave(ctypes.Structure):
    _fields_ = [("type", ctypes.c_char_p), ("sample_rate", ctypes.c_int), ("num_samples", ctypes.c_int),
                ("num_channels", ctypes.c_int), ("samples", ctypes.POINTER(ctypes.c_short))]


class Flite:
    def __init__(self):
        mode = ctypes.RTLD_GLOBAL
        self.lib = ctypes.CDLL("libflite.so.1", mode)
        for name in ("usenglish", "cmulex"): ctypes.CDLL(f"libflite_{name}.so.1", mode)
        p, s = ctypes.c_void_p, ctypes.c_char_p
        for name, args, res in (("flite_init", [], ctypes.c_int), ("flite_synth_text", [s, p], p), ("utt_relation", [p, s], p),
                                ("relation_head", [p], p), ("item_next", [p], p), ("item_feat_string", [p, s], s), ("item_as", [p, s], p),
                                ("item_feat_float", [p, s], ctypes.c_float), ("path_to_item", [p, s], p), ("utt_wave", [p], ctypes.POINTER(Wave)),
                                ("delete_utterance", [p], None)):
            f = getattr(self.lib, name); f.argtypes, f.restype = args, res
        self.lib.flite_init()
        self.voices = {}

    def voice(self, name):
        if name not in self.voices:
            lib = ctypes.CDLL(f"libflite_{LIBRARIES[name]}.so.1", ctypes.RTLD_GLOBAL)
            f = getattr(lib, f"register_{LIBRARIES[name]}"); f.restype, f.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
            self.voices[name] = f(None)
        return self.voices[name]

    def utter(self, text, voice):
        """-> float32 samples, their rate, [(phone, end in seconds, index of the whitespace-separated token or -1)]"""
        L = self.lib
        u = L.flite_synth_text(text.encode(), self.voice(voice))
        try:
            tokens, t = {}, L.relation_head(L.utt_relation(u, b"Token"))
            while t: tokens[L.item_feat_string(t, b"name"), len(tokens)] = t; t = L.item_next(t)
            # a word's token: its parent in the Token relation; words run in order, so a change of parent is the next token
            words, w, k, last = {}, L.relation_head(L.utt_relation(u, b"Word")), -1, None
            index = {v: i for i, v in enumerate(tokens.values())}
            while w:
                words[w] = index.get(L.path_to_item(w, b"R:Token.parent"), -1)
                w = L.item_next(w)
            segs, s = [], L.relation_head(L.utt_relation(u, b"Segment"))
            while s:
                word = L.path_to_item(s, b"R:SylStructure.parent.parent")
                word = L.path_to_item(word, b"R:Word") if word else None
                segs.append((L.item_feat_string(s, b"name").decode(), L.item_feat_float(s, b"end"), words.get(word, -1)))
                s = L.item_next(s)
            v = L.utt_wave(u).contents
            x = np.ctypeslib.as_array(v.samples, (v.num_samples,)).astype(np.float32) / 32768
            return x, v.sample_rate, segs
        finally:
            L.delete_utterance(u)


FLITE = None


def speak(text, spk):
    """-> float32 24 kHz audio of whole frames, [(phone, end time, token)]; as loud as every other clip, with short pauses around"""
    import scipy.signal
    global FLITE
    FLITE = FLITE or Flite()
    voice, speed, _ = SPEAKERS[spk]
    x, sr, segs = FLITE.utter(text, voice)
    start = max(0.0, (segs[0][1] if segs and segs[0][0] == "pau" else 0.0) - 0.08)
    stop = min(len(x) / sr, (segs[-2][1] if len(segs) > 1 and segs[-1][0] == "pau" else len(x) / sr) + 0.12)
    x = x[int(start * sr):int(stop * sr)]
    ratio = Fraction(SR / sr / speed).limit_denominator(60)
    y = scipy.signal.resample_poly(x, ratio.numerator, ratio.denominator).astype(np.float32)
    k = len(y) / max(1, len(x)) * sr / SR
    y = np.clip(y * (0.08 / (np.sqrt(np.mean(y ** 2)) + 1e-9)), -0.98, 0.98)          # one loudness for every voice
    y = np.pad(y, (0, -len(y) % HOP))                                                 # no padding branch in the codec
    return y, [(p, round(max(0.0, t - start) * k, 3), w) for p, t, w in segs]
