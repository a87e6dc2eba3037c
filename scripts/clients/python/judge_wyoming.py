"""The `wyoming` package, with which Home Assistant speaks."""

import asyncio
import os

from report import SENTENCE, check
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped, SynthesizeVoice

CLIENT = "wyoming 1.10.2 (PyPI)"
PORT = int(os.environ["HIGGS_WYOMING_PORT"])
VOICE = SynthesizeVoice(name="alloy")


async def heard(client, last):
    """Seconds of audio up to the event `last`."""
    samples, rate = 0, None
    while True:
        event = await asyncio.wait_for(client.read_event(), 120)
        assert event is not None, "the connection ended"
        assert not Error.is_type(event.type), event.data
        if AudioStart.is_type(event.type):
            rate = AudioStart.from_event(event).rate
        elif AudioChunk.is_type(event.type):
            samples += AudioChunk.from_event(event).samples
        elif last.is_type(event.type):
            assert rate is not None and samples > rate / 2, f"only {samples} samples"
            return f"{samples / rate:.1f} s at {rate} Hz"


async def describe(client):
    await client.write_event(Describe().event())
    [program] = Info.from_event(await client.read_event()).tts
    assert program.supports_synthesize_streaming
    assert "alloy" in [voice.name for voice in program.voices]
    return f"{len(program.voices)} voices"


async def synthesize(client):
    await client.write_event(Synthesize(SENTENCE, voice=VOICE).event())
    return await heard(client, AudioStop)


async def stream(client):
    await client.write_event(SynthesizeStart(voice=VOICE).event())
    for word in f"{SENTENCE} Then he went home again.".split(" "):
        await client.write_event(SynthesizeChunk(f"{word} ").event())
    await client.write_event(SynthesizeStop().event())
    return await heard(client, SynthesizeStopped)


async def refuse(client):
    await client.write_event(Synthesize("Hello.", voice=SynthesizeVoice(name="nobody")).event())
    error = Error.from_event(await client.read_event())
    assert error.code == "VOICE_NOT_FOUND", error
    return error.code


async def main():
    async with AsyncTcpClient("127.0.0.1", PORT) as client:
        await check(CLIENT, "describe", lambda: describe(client))
        await check(CLIENT, "synthesize", lambda: synthesize(client))
        await check(CLIENT, "synthesize-start, -chunk, -stop", lambda: stream(client))
        await check(CLIENT, "an unknown voice", lambda: refuse(client))


asyncio.run(main())
