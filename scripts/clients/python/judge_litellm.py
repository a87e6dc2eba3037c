"""LiteLLM, which calls an OpenAI-compatible server for its users."""

import asyncio
from importlib.metadata import version

import litellm
import openai
from report import KEY, SENTENCE, URL, check, expect_audio

NAME = f"LiteLLM {version('litellm')}"


def speak(**more):
    return litellm.speech(
        model="openai/tts-1", voice="alloy", input=SENTENCE, api_base=f"{URL}/v1", api_key=KEY, max_retries=0, **more
    ).content


def refused():
    try:
        litellm.speech(model="openai/tts-1", voice="alloy", input="", api_base=f"{URL}/v1", api_key=KEY, max_retries=0)
    except openai.BadRequestError as error:
        assert "input" in str(error), str(error)
        return f"{error.status_code} with its reason"
    raise AssertionError("it was not refused")


async def main():
    await check(NAME, "speech", lambda: expect_audio(speak(), "mp3"))
    await check(NAME, "speech as wav, speed", lambda: expect_audio(speak(response_format="wav", speed=1.5), "wav"))
    await check(NAME, "empty input", refused)


asyncio.run(main())
