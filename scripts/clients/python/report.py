"""Calls of a client, each printed as a line that scripts/check-clients.ts reads."""

import inspect
import json
import os

URL = os.environ["HIGGS_URL"]
KEY = os.environ["HIGGS_KEY"]
CLIP = os.environ["HIGGS_CLIP"]
CLIP_WORDS = os.environ["HIGGS_CLIP_WORDS"]
SENTENCE = "The little boy went down to the river."


async def check(client, call, run):
    """Runs one call. `run` returns what was seen and raises AssertionError, or anything else, when it is wrong."""
    try:
        seen = run()
        if inspect.isawaitable(seen):
            seen = await seen
        result = {"client": client, "call": call, "ok": True, "seen": str(seen)}
    except BaseException as error:  # a client may raise anything
        result = {"client": client, "call": call, "ok": False, "seen": f"{type(error).__name__}: {error}"[:400]}
    print("RESULT " + json.dumps(result), flush=True)


def kind_of(audio):
    """The format that the first bytes show."""
    if audio[:4] == b"RIFF":
        return "wav"
    if audio[:4] == b"OggS":
        return "opus"
    if audio[:4] == b"fLaC":
        return "flac"
    # Layer III only: quiet samples of raw audio begin with 0xFF 0xFF too.
    if audio[:3] == b"ID3" or (audio[0] == 0xFF and audio[1] & 0xE6 == 0xE2):
        return "mp3"
    return "pcm"


def expect_audio(audio, kind):
    """The audio's size, after checking its format and that it is not nearly nothing."""
    assert len(audio) > 4000, f"only {len(audio)} bytes"
    assert kind_of(audio) == kind, f"got {kind_of(audio)} instead of {kind}"
    return f"{kind}, {len(audio) // 1000} kB"
