"""LiveKit Agents' TTS class, which asks for server-sent events."""

import asyncio
from importlib.metadata import version

from livekit.agents import APIStatusError, utils
from livekit.plugins import openai
from report import KEY, SENTENCE, URL, check

NAME = f"LiveKit plugins-openai {version('livekit-plugins-openai')}"


async def speak(model, response_format="mp3"):
    async with utils.http_context.open():
        tts = openai.TTS(model=model, voice="ash", base_url=f"{URL}/v1", api_key=KEY, response_format=response_format)
        seconds = 0.0
        async with tts.synthesize(SENTENCE) as stream:
            async for event in stream:
                seconds += event.frame.duration
        await tts.aclose()
    assert seconds > 1, f"only {seconds} s"
    return f"{seconds:.2f} s"


async def main():
    await check(NAME, "synthesize, gpt-4o-mini-tts (sse)", lambda: speak("gpt-4o-mini-tts"))
    await check(NAME, "synthesize, tts-1 (chunked)", lambda: speak("tts-1"))
    for response_format in ("opus", "flac", "wav", "pcm"):
        await check(NAME, f"synthesize, {response_format}", lambda form=response_format: speak("gpt-4o-mini-tts", form))


asyncio.run(main())
