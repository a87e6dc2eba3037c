"""A worker on the official Python SDK. What a job's input says is what its handler does.

Environment: WORKER_CONCURRENCY, WORKER_GENERATOR (1 = generator handler), WORKER_AGGREGATE, WORKER_REFRESH,
WORKER_UNFIT (1 = a fitness check that fails).
"""

import asyncio
import os
import time

import runpod


def flag(name):
    return os.environ.get(name) == "1"


async def handle(job):
    wish = job["input"] if isinstance(job["input"], dict) else {}
    if "sleep" in wish:
        await asyncio.sleep(wish["sleep"])
    if "block" in wish:
        time.sleep(wish["block"])
    if "throw" in wish:
        raise ValueError(wish["throw"])
    if "progress" in wish:
        runpod.serverless.progress_update(job, wish["progress"])
        await asyncio.sleep(0.5)
    if "return" in wish:
        return wish["return"]
    return {"job": job}


async def generate(job):
    wish = job["input"]
    for chunk in wish.get("chunks", []):
        yield chunk
    if "throw" in wish:
        raise ValueError(wish["throw"])


if flag("WORKER_UNFIT"):

    @runpod.serverless.register_fitness_check
    def has_model():
        raise RuntimeError("no model " + "x" * 400)


runpod.serverless.start(
    {
        "handler": generate if flag("WORKER_GENERATOR") else handle,
        "return_aggregate_stream": flag("WORKER_AGGREGATE"),
        "refresh_worker": flag("WORKER_REFRESH"),
        "concurrency_modifier": lambda _current: int(os.environ.get("WORKER_CONCURRENCY", "1")),
    }
)
