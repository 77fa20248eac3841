"""Sample, edit, stream and train on :mod:`reference.accelerator`; print how far each result lies from the CPU's.

Run as ``python on_accelerator.py``: one JSON object on standard output.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent.parent), str(Path(__file__).resolve().parent.parent)]

from reference import accelerator  # noqa: E402

accelerator.start()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from reference.said_tiny import filled, tiny_config  # noqa: E402
from reference.said_weights import reference_state  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from blendvoca.audio import Waveform  # noqa: E402
from said_model import SAiD  # noqa: E402
from said_model.audio_encoder.features import encode  # noqa: E402
from said_model.config import DEFAULT_STEPS, SamplerConfig  # noqa: E402
from said_model.evaluation.sync_expert import SyncConfig, SyncExpert  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402
from said_model.training.engine import Engine, Task  # noqa: E402
from said_model.training.settings import AugmentConfig, LoopConfig, TrainConfig, VaeConfig  # noqa: E402
from said_model.training.tasks.said import SaidTask  # noqa: E402
from said_model.training.tasks.sync_expert import SyncTask  # noqa: E402
from said_model.training.tasks.vae import VaeTask  # noqa: E402
from said_model.training.windows import TrainingClip  # noqa: E402

CPU = torch.device("cpu")
FRAMES, RATE = 130, 16_000
CONFIG = tiny_config()
SOUND = Waveform((np.random.default_rng(0).standard_normal(2 * RATE) * 0.1).astype(np.float32), RATE)
SAMPLER = SamplerConfig(steps=3)


def network() -> SaidNetwork:
    """Return the same network on every call."""
    return filled(SaidNetwork(CONFIG))


def clips(features: int | None) -> list[TrainingClip]:
    """Return clips with features of a width, or with sound."""
    rng = np.random.default_rng(1)
    heard = None if features is None else rng.normal(size=(5, FRAMES, features)).astype(np.float16)
    sound = rng.normal(size=RATE * FRAMES // 60 + 1).astype(np.float32) if features is None else None
    return [TrainingClip(rng.uniform(size=(FRAMES, 32)).astype(np.float32), heard, sound, 0) for _ in range(3)]


def drawn(device: torch.device, precision: str) -> Iterator[np.ndarray]:
    """Sample, edit, and stream."""
    model = SAiD(network(), device, precision)
    track = model.sample(SOUND, sampler=SAMPLER)
    yield track.values
    mask = np.zeros(track.values.shape)
    mask[:40] = 1
    yield model.edit(track, SOUND, mask, 2, sampler=SAMPLER)[1].track.values
    yield model.sample_like_stream(SOUND, sampler=SAMPLER).values


def tasks() -> dict[str, Callable[[], Task]]:
    """Return what is trained, but the regression: PyTorch turns a GRU's result in place, which cannot be followed."""
    loop, augment = LoopConfig(batch=2), AugmentConfig()
    heard, silent = clips(CONFIG.denoiser.feature_dim), clips(None)
    names = CONFIG.names

    def said(data: list[TrainingClip], **settings: Any) -> Task:
        return SaidTask(network(), TrainConfig(CONFIG, loop, augment, **settings), data, data)

    return {
        "training": lambda: said(heard),
        "training with the encoder": lambda: said(silent, encoder_input="window"),
        "fine-tuning": lambda: said(silent, encoder_input="window", finetune_encoder=True),
        "VAE": lambda: VaeTask(VaeConfig(loop), heard, heard, names),
        "sync expert": lambda: SyncTask(SyncExpert(SyncConfig(names, 60.0, 16)), loop, heard, heard),
    }


def trained(make: Callable[[], Task], device: torch.device) -> Iterator[np.ndarray]:
    """Return the loss of a batch, and that of the held-out clips."""
    task = make()
    module: nn.Module = task.module
    module.load_state_dict(reference_state({key: value.shape for key, value in module.state_dict().items()}))
    if device != CPU:
        accelerator.move(module)
        task.place(device, 0)
    module.eval()
    with torch.no_grad():
        torch.manual_seed(0)
        yield np.array(float(task.loss({name: value[0] for name, value in task.draw(0, 1).items()})["loss"].cpu()))
        yield np.array(float(task.validate()))


def listened(device: torch.device) -> Iterator[np.ndarray]:
    """Features as the cache keeps them."""
    encoder = network().audio_encoder
    yield encode(encoder if device == CPU else accelerator.move(encoder), SOUND.samples, FRAMES)


def apart(run: Callable[[torch.device], Iterator[np.ndarray]]) -> float:
    """Return the mean difference between the devices, relative to the mean of the CPU's values; the worst result's."""
    worst = 0.0
    for here, there in zip(list(run(CPU)), list(run(accelerator.DEVICE)), strict=True):
        if not np.ptp(here) > 0 and here.ndim:
            raise RuntimeError("nothing was drawn: the case shows nothing")
        worst = max(worst, float(np.abs(here - there).mean() / np.abs(here).mean()))
    return worst


def asked_in_a_block() -> dict[str, int]:
    """Return what ten steps, between two looks at the losses, ask of the device besides operators.

    PyTorch's autograd knows no spare device: gradients are made there instead of computed; the backward pass is tested
    on the meta device (``test_engine.py``).
    """
    loop = LoopConfig(steps=100, batch=2, engine="eager", precision="float32")
    heard = clips(CONFIG.denoiser.feature_dim)
    task = SaidTask(network(), TrainConfig(CONFIG, loop), heard, heard)
    accelerator.move(task.network)
    task.place(accelerator.DEVICE, 0)
    engine = Engine(task, loop, accelerator.DEVICE)

    def backward(loss: Tensor) -> None:
        for parameter in engine.parameters:
            parameter.grad = torch.ones_like(parameter)

    computed, accelerator.Away.backward = accelerator.Away.backward, backward  # type: ignore[method-assign, assignment]
    engine.advance(0, 2)
    accelerator.COUNTS.clear()
    engine.advance(2, 10)
    accelerator.Away.backward = computed  # type: ignore[method-assign]
    counts = dict(accelerator.COUNTS)
    return {name: count for name, count in counts.items() if name != "operators" or not count}


def asked_by_steps(sampler: str) -> dict[str, int]:
    """Return what nine further denoising steps ask of the device besides operators."""
    counts = []
    for steps in (3, 12):
        model = SAiD(network(), accelerator.DEVICE, "float32")
        accelerator.COUNTS.clear()
        model.sample(SOUND, sampler=SamplerConfig(sampler, steps))
        counts.append(dict(accelerator.COUNTS))
    if counts[1]["operators"] <= counts[0]["operators"]:
        raise RuntimeError("more steps ran no more operators: the count shows nothing")
    return {name: counts[1][name] - counts[0].get(name, 0) for name in counts[1] if name != "operators"}


def mixing_is_refused() -> bool:
    """The check itself: a parameter left behind is noticed."""
    layer: nn.Module = accelerator.move(nn.Linear(3, 2))
    layer.bias = nn.Parameter(Tensor([1.0, 2.0]))  # type: ignore[assignment]
    try:
        layer(torch.zeros(1, 3).to(accelerator.DEVICE))
    except RuntimeError as error:
        return "mixes devices" in str(error)
    return False


def main() -> None:
    """Run all."""
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    with accelerator.Accelerator():
        results["mixing is refused"] = mixing_is_refused()
        for precision in ("float32", "bfloat16"):
            results[f"drawing in {precision}"] = apart(lambda device, p=precision: drawn(device, p))
        results["features"] = apart(listened)
        for name, make in tasks().items():
            results[name] = apart(lambda device, m=make: trained(m, device))
        results["asked"] = {"training": asked_in_a_block(), **{name: asked_by_steps(name) for name in DEFAULT_STEPS}}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
