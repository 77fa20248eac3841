"""Ten minutes of sound: memory and linear cost, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")

SCRIPT = """
import resource, time
import numpy as np, torch
from blendvoca.audio import Waveform
from said_model import SAiD, SamplerConfig
from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig
from said_model.network.said import SaidNetwork

torch.set_num_threads(1)
encoder = EncoderConfig(settings={"bands": 96, "orders": 8})
model = SAiD(SaidNetwork(ModelConfig(encoder=encoder, denoiser=DenoiserConfig())))
for minutes in (0.1, 2.5, 10):
    sound = Waveform(np.random.default_rng(0).standard_normal(round(960_000 * minutes)).astype(np.float32), 16_000)
    start = time.process_time()
    track = model.sample(sound, sampler=SamplerConfig(steps=1))
    print(len(track), time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@pytest.mark.slow
def test_ten_minutes_in_linear_time_and_bounded_memory():
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    rows = [[float(word) for word in line.split()] for line in answer.stdout.splitlines()]
    (_, _, _), (short, quick, _), (long, slow, peak) = rows
    assert (short, long) == (9000, 36000)
    assert slow < 6 * quick  # four times the length; twice linear would be eight
    assert peak < 3.0
