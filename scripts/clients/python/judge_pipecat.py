"""Pipecat's TTS service, which streams raw samples."""

import asyncio
from importlib.metadata import version

from loguru import logger
from pipecat.frames.frames import EndFrame, ErrorFrame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.openai.tts import OpenAITTSService
from report import KEY, SENTENCE, URL, check

logger.remove()
NAME = f"Pipecat {version('pipecat-ai')}"


class Ear(FrameProcessor):
    """Counts the audio that passes."""

    def __init__(self):
        super().__init__()
        self.seconds = 0.0
        self.errors = []

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.seconds += len(frame.audio) / 2 / frame.sample_rate
        if isinstance(frame, ErrorFrame):
            self.errors.append(str(frame.error))
        await self.push_frame(frame, direction)


async def speak():
    tts = OpenAITTSService(
        api_key=KEY, base_url=f"{URL}/v1", settings=OpenAITTSService.Settings(voice="sage", model="gpt-4o-mini-tts")
    )
    ear = Ear()
    task = PipelineTask(Pipeline([tts, ear]), params=PipelineParams(audio_out_sample_rate=24000))
    await task.queue_frames([TTSSpeakFrame(SENTENCE), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)
    assert not ear.errors, ear.errors
    assert ear.seconds > 1, f"only {ear.seconds} s"
    return f"{ear.seconds:.2f} s"


async def main():
    await check(NAME, "TTSSpeakFrame in a pipeline", speak)


asyncio.run(main())
