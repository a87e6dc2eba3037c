"""The official OpenAI client for Python."""

import asyncio
import base64
import json
from importlib.metadata import version

import openai
from report import CLIP, CLIP_WORDS, KEY, SENTENCE, URL, check, expect_audio

NAME = f"openai (PyPI) {version('openai')}"
client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)


def speak(**more):
    return client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input=SENTENCE, **more)


def streamed():
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="nova", input=SENTENCE, response_format="pcm"
    ) as response:
        chunks = list(response.iter_bytes())
    assert len(chunks) > 1, "it came in one piece"
    return f"{expect_audio(b''.join(chunks), 'pcm')} in pieces"


def events():
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="coral", input=SENTENCE, stream_format="sse"
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        items = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: {")]
    audio = b"".join(base64.b64decode(item["audio"]) for item in items if item["type"] == "speech.audio.delta")
    assert items[-1]["type"] == "speech.audio.done", items[-1]["type"]
    usage = items[-1]["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    return f"{expect_audio(audio, 'mp3')}, usage {usage['total_tokens']}"


def repeatable():
    first, second = (speak(response_format="wav", extra_body={"seed": 7, "temperature": 0.3}).content for _ in range(2))
    assert first == second, "the same seed gave other audio"
    return "same seed, same bytes"


def refused(wanted, run):
    try:
        run()
    except wanted as error:
        assert error.body and error.body.get("message"), f"no message: {error.body}"
        return f"{error.status_code} {error.code}"
    raise AssertionError("it was not refused")


def own_voice():
    with open(CLIP, "rb") as recording:
        consent = client.audio.voice_consents.create(name="Ada Client", language="en-US", recording=recording)
    assert any(item.id == consent.id for item in client.audio.voice_consents.list())
    with open(CLIP, "rb") as sample:
        voice = client.audio.voices.create(
            name="Ada Client", audio_sample=sample, consent=consent.id, extra_body={"transcript": CLIP_WORDS}
        )
    try:
        seen = expect_audio(
            client.audio.speech.create(model="tts-1", voice={"id": voice.id}, input=SENTENCE).content, "mp3"
        )
    finally:
        client.delete(f"/audio/voices/{voice.id}", cast_to=object)
        client.audio.voice_consents.delete(consent.id)
    return seen


async def main():
    await check(NAME, "speech.create", lambda: expect_audio(speak().content, "mp3"))
    for kind in ("wav", "flac", "opus", "pcm"):
        await check(NAME, f"response_format {kind}", lambda kind=kind: expect_audio(speak(response_format=kind).content, kind))
    await check(NAME, "with_streaming_response", streamed)
    await check(NAME, "stream_format sse", events)
    await check(NAME, "speed, instructions", lambda: expect_audio(speak(speed=1.25, instructions="a large hall").content, "mp3"))
    await check(NAME, "seed in extra_body", repeatable)
    await check(NAME, "models.list", lambda: ", ".join(model.id for model in client.models.list()))
    await check(NAME, "voice_consents, voices, speech with {id}", own_voice)
    await check(NAME, "empty input", lambda: refused(openai.BadRequestError, lambda: client.audio.speech.create(model="tts-1", voice="alloy", input="")))
    await check(NAME, "unknown voice", lambda: refused(openai.APIStatusError, lambda: client.audio.speech.create(model="tts-1", voice="no-such-voice", input=SENTENCE)))
    wrong = openai.OpenAI(base_url=f"{URL}/v1", api_key="wrong", max_retries=0)
    await check(NAME, "wrong key", lambda: refused(openai.AuthenticationError, lambda: wrong.audio.speech.create(model="tts-1", voice="alloy", input=SENTENCE)))


asyncio.run(main())
