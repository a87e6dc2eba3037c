"""PyTorch's side of scripts/compare-pytorch.ts: opens a workload when it reads its name, runs it on `run`, and answers each line."""

import json
import os
import resource
import sys
import time

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_PROGRESS_BARS="1", TRANSFORMERS_VERBOSITY="error")

import torch
from transformers import (
    AutoTokenizer,
    HiggsAudioV2Config,
    HiggsAudioV2ForConditionalGeneration,
    HiggsAudioV2TokenizerConfig,
    HiggsAudioV2TokenizerModel,
)
from transformers.models.higgs_audio_v2.processing_higgs_audio_v2 import HiggsAudioV2Processor

DEMO = sys.argv[1]
# As in scripts/cpu-library/workloads.ts.
LAYERS = 2
AUDIO_SECONDS = 2
PREFILL_ROWS = 200
STEPS = 10
CONTEXT_LENGTH = 512
CODEBOOKS = 8


class Codec:
    """Decoding or encoding of two seconds; the codec of the demo, or random weights of the released shapes, in f32."""

    amount = AUDIO_SECONDS

    def __init__(self, is_demo, is_encoder):
        if is_demo:
            self.model = HiggsAudioV2TokenizerModel.from_pretrained(f"{DEMO}/codec", dtype=torch.float32).eval()
        else:
            ratios = [8, 5, 4, 2, 3]
            config = HiggsAudioV2TokenizerConfig(
                target_bandwidths=[2], acoustic_model_config={"downsampling_ratios": ratios, "upsampling_ratios": ratios}
            )
            self.model = HiggsAudioV2TokenizerModel(config).eval()
        rate = self.model.config.sample_rate
        if is_encoder:
            pcm = (0.3 * torch.sin(torch.arange(AUDIO_SECONDS * rate) * 0.05)).reshape(1, 1, -1)
            self.work = lambda: self.model.encode(pcm)
        else:
            frames = AUDIO_SECONDS * self.model.config.frame_rate
            codes = torch.tensor([[(frame * 37 + k * 101) % 1024 for frame in range(frames)] for k in range(CODEBOOKS)])
            self.work = lambda: self.model.decode(codes[None])

    def run(self):
        self.work()


def random_trunk():
    """The released layer shapes with random weights in bf16, few layers and few text ids."""
    config = HiggsAudioV2Config(num_hidden_layers=LAYERS, vocab_size=1024, codebook_size=1026, pad_token_id=1,
                                audio_token_id=1016, audio_delay_token_id=1014, audio_bos_token_id=1013)
    torch.set_default_dtype(torch.bfloat16)
    try:
        return HiggsAudioV2ForConditionalGeneration(config).eval()
    finally:
        torch.set_default_dtype(torch.float32)


class Prefill:
    amount = PREFILL_ROWS / 1000

    def __init__(self):
        self.model = random_trunk()
        self.ids = torch.arange(PREFILL_ROWS)[None]

    def run(self):
        self.model(input_ids=self.ids, use_cache=True, logits_to_keep=1)


class Step:
    """Decode steps of some sequences at the end of 512 positions."""

    amount = STEPS / 1000

    def __init__(self, sequences):
        self.model = random_trunk()
        self.columns = torch.full((sequences, 1, CODEBOOKS), 7)
        self.length = CONTEXT_LENGTH - STEPS
        ids = torch.arange(self.length)[None].expand(sequences, -1)
        self.cache = self.model(input_ids=ids, use_cache=True, logits_to_keep=1).cache

    def run(self):
        for _ in range(STEPS):
            self.model(audio_input_ids=self.columns, cache=self.cache, use_cache=True)
        self.cache.crop(-STEPS)


class Demo:
    """A sentence of the demo checkpoint, from text to samples. `amount` is told after each run: the audio is sampled."""

    def __init__(self):
        self.model = HiggsAudioV2ForConditionalGeneration.from_pretrained(DEMO, dtype=torch.bfloat16).eval()
        self.codec = HiggsAudioV2TokenizerModel.from_pretrained(f"{DEMO}/codec", dtype=torch.float32).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(DEMO)
        self.amount = float("nan")

    def run(self):
        conversation = [
            {"role": "system", "content": "Generate audio following instruction."},
            {"role": "user", "content": "The sun is warm and the sky is blue."},
        ]
        text = self.tokenizer.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
        ids = self.tokenizer(text, return_tensors="pt", add_special_tokens=False)
        torch.manual_seed(1)
        columns = self.model.generate(**ids, max_new_tokens=150, do_sample=True, temperature=0.3, top_k=50, top_p=0.95)
        columns = getattr(columns, "audio_sequences", columns)[0]
        starts = (columns == 1024).all(-1).nonzero()
        columns = columns[int(starts[-1]) + 1 :] if len(starts) > 0 else columns
        ends = (columns == 1025).all(-1).nonzero()
        columns = columns[: int(ends[0])] if len(ends) > 0 else columns
        codes = HiggsAudioV2Processor.revert_delay_pattern(None, columns).clip(0, 1023)
        audio = self.codec.decode(codes.transpose(0, 1)[None]).audio_values
        self.amount = audio.shape[-1] / self.codec.config.sample_rate
        return audio


def open_workload(name):
    kind, *rest = name.split(" ")
    if kind in ("decode", "encode", "demo-decode", "demo-encode"):
        return Codec(is_demo=kind.startswith("demo"), is_encoder=kind.endswith("encode"))
    if kind == "prefill":
        return Prefill()
    if kind == "step":
        return Step(int(rest[1]))
    if kind == "demo":
        return Demo()
    raise ValueError(f"Cannot measure {name}: there is no such workload")


def main():
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    workload = None
    for line in sys.stdin:
        name = line.strip()
        if name != "run":
            workload = None
            workload = open_workload(name)
            answer = {}
        else:
            started, before = time.perf_counter(), time.process_time()
            workload.run()
            answer = {"processor": (time.process_time() - before) / workload.amount,
                      "wall": (time.perf_counter() - started) / workload.amount}
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({**answer, "peakMiB": peak_kib / 1024}), flush=True)


main()
