"""A model as ONNX: the denoiser for windows of any length, and JSON that says all the rest.

An encoder's learned convolutions are a file of their own. The JSON beside them describes the log-mel front end, the
sampler as a table of linear steps, the windows of long clips and the noise of a seed, so that another language can draw
the same samples; ``docs/onnx/sample.py`` is that in Python with onnxruntime alone.

A step of the table goes from x to ``keep * x + clean * clip(x0) + raw * x0 + before * clip(previous x0)``, where x0 are
the clean coefficients, times the scale, that the network's prediction stands for.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from blendvoca.errors import ConfigurationError, MissingDependencyError
from blendvoca.io.atomic import atomic_path, write_text
from said_model.audio_encoder.level import VARIANCE_FLOOR
from said_model.audio_encoder.log_mel import LogMelEncoder
from said_model.config import LOG_MEL, SAMPLE_RATE, DiffusionConfig, SamplerConfig
from said_model.diffusion.schedule import make_schedule
from said_model.diffusion.sections import WindowConfig
from said_model.network.attention import Band
from said_model.network.said import SaidNetwork

FORMAT, FORMAT_VERSION = "said-onnx", 1
#: Fewest frames that the files take: shorter clips are filled up with silence.
LEAST_FRAMES = 8
#: Share of a window that neighbouring windows have in common: as sampling's default.
_OVERLAP = WindowConfig.overlap / WindowConfig.frames
_OPSET = 18


class _Window(nn.Module):
    """The denoiser of one window of N frames: one prediction, or two."""

    def __init__(self, network: SaidNetwork, guided: bool) -> None:
        super().__init__()
        self.denoiser = network.denoiser
        self.null = network.null_cond_emb.detach()[0] if guided else None

    def forward(self, noisy: Tensor, timestep: Tensor, audio: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(1, N, K), (1,) and (1, N, D) to (1, N, K), with the audio and, where guidance needs it, without."""
        frames = noisy.shape[1]
        alignment = self.denoiser.alignment
        widths = [alignment.bandwidth, *(width for _, width in alignment.schedule)]
        bands = tuple(None if width is None else _band(frames, width) for width in widths)
        prepared = self.denoiser.condition(audio, frames, self.null, bands)
        predicted = self.denoiser.predict(noisy, timestep, prepared)
        return predicted if self.null is None else predicted.chunk(2)


def _band(frames: int, width: int) -> Band:
    """Return the alignment's windows for as many features as frames, in steps that the exporter takes for any N.

    Gathered by index: the exporter fixes the length of a sliding view.
    """
    places = torch.arange(frames)[:, None] + torch.arange(-width, width + 1)
    return Band(places.clamp(0, frames - 1), (places >= 0) & (places < frames), None)


@dataclass(frozen=True)
class Exported:
    """Files that were written.

    :param model: the denoiser, for any number of frames from :data:`LEAST_FRAMES` on.
    :param fixed: the denoiser for each fixed number of frames that was asked for.
    :param encoder: the encoder's learned convolutions, where it has any.
    :param description: JSON of all the rest.
    """

    model: Path
    fixed: dict[int, Path]
    encoder: Path | None
    description: Path


def export_onnx(
    path: str | Path, network: SaidNetwork, sampler: SamplerConfig, windows: Sequence[int] = ()
) -> Exported:
    """Write a model as ONNX.

    :param path: ``MODEL.onnx``, the denoiser; beside it ``MODEL.json`` and, for an encoder that was trained,
        ``MODEL-encoder.onnx``.
    :param network: with the log-mel encoder.
    :param sampler: how it is drawn from.
    :param windows: frames of windows that are also written each as a file of fixed length, ``MODEL-120.onnx``, for
        runtimes that want one.
    :raises ConfigurationError: for a speech encoder that is not log-mel, or another suffix.
    :raises MissingDependencyError: without onnx and onnxscript.
    :raises OutputError: if the files cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise ConfigurationError("unknown kind of output", expected="a name that ends in .onnx", found=path.name)
    description = describe(network, sampler)
    _require_exporter()
    path.parent.mkdir(parents=True, exist_ok=True)
    guided = network.config.diffusion.added_guidance(sampler.guidance_scale) > 0
    _write_window(path, network, guided)
    description["windows"].append({"frames": WindowConfig.frames, "overlap": WindowConfig.overlap,
                                   "least": LEAST_FRAMES, "file": path.name})  # fmt: skip
    fixed = {}
    for frames in dict.fromkeys(windows):
        fixed[frames] = path.with_name(f"{path.stem}-{frames}.onnx")
        _write_window(fixed[frames], network, guided, frames)
        overlap = WindowConfig(frames, max(round(frames * _OVERLAP), 1)).overlap
        entry = {"frames": frames, "overlap": overlap, "least": frames, "file": fixed[frames].name}
        description["windows"].append(entry)
    encoder = None
    if description["encoder"] is not None:
        encoder = path.with_name(f"{path.stem}-encoder.onnx")
        _write_encoder(encoder, network)
        description["encoder"]["file"] = encoder.name
    written = path.with_suffix(".json")
    write_text(written, json.dumps(description, indent=1) + "\n")
    return Exported(path, fixed, encoder, written)


def _write_window(path: Path, network: SaidNetwork, guided: bool, fixed: int | None = None) -> None:
    config = network.config
    frames = WindowConfig.frames if fixed is None else fixed
    inputs = (
        torch.zeros(1, frames, len(config.names)), torch.full((1,), 10.0),
        torch.zeros(1, frames, config.denoiser.feature_dim),
    )  # fmt: skip
    outputs = ["conditional", "unconditional"] if guided else ["conditional"]
    lengths = None
    if fixed is None:
        some = {1: torch.export.Dim("frames", min=LEAST_FRAMES)}
        lengths = (some, None, some)
    _write(path, _Window(network.eval(), guided).eval(), inputs, ["noisy", "timestep", "audio"], outputs, lengths)


def _write_encoder(path: Path, network: SaidNetwork) -> None:
    encoder = network.eval().audio_encoder
    spectra = torch.zeros(1, WindowConfig.frames, encoder.cached_dim)
    lengths = ({1: torch.export.Dim("frames", min=LEAST_FRAMES)},)
    _write(path, encoder.stack, (spectra,), ["spectra"], ["features"], lengths)  # type: ignore[arg-type]


def _write(
    path: Path, module: nn.Module, inputs: tuple[Tensor, ...], names: list[str], outputs: list[str],
    lengths: Any = None,
) -> None:  # fmt: skip
    with atomic_path(path) as temporary, torch.no_grad(), _quiet():
        program = torch.onnx.export(
            module, inputs, dynamo=True, verbose=False, opset_version=_OPSET, external_data=False,
            input_names=names, output_names=outputs, dynamic_shapes=lengths,
        )  # fmt: skip
        if program is None:
            raise ConfigurationError("torch's exporter returned nothing", remedy="Install the tested version of torch.")
        program.save(str(temporary), external_data=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporter says about its own insides from the user."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _require_exporter() -> None:
    for package in ("onnx", "onnxscript"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingDependencyError(package, "onnx", "writing ONNX") from error


def describe(network: SaidNetwork, sampler: SamplerConfig) -> dict[str, Any]:
    """Return what another program needs beside the network, as plain data; names of files are still to be added.

    ``encoder``: null where patches are what the network takes; else the frames on either side that a feature depends
    on, for who encodes long sound in pieces.

    :raises ConfigurationError: for a speech encoder that is not log-mel.
    """
    config = network.config
    if not isinstance(network.audio_encoder, LogMelEncoder):
        raise ConfigurationError(
            "this speech encoder is not exported", expected=LOG_MEL, found=config.encoder.name,
            remedy="Train with --encoder log-mel, or export the denoiser of your own with torch.onnx.",
        )  # fmt: skip
    encoder, diffusion = network.audio_encoder, config.diffusion
    front_end = asdict(encoder.config)
    stack = front_end.pop("stack")
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "names": list(config.names),
        "fps": config.fps,
        "front_end": {
            "kind": LOG_MEL,
            "rate": SAMPLE_RATE,
            "variance_floor": VARIANCE_FLOOR,
            "fft": 512,
            **front_end,
            "floor": encoder.floor,
            "log_scale": 0.25,
            "features": "patches" if stack is None else "spectra",
        },
        "encoder": None if stack is None else {"context": round(encoder.context_seconds * config.fps)},
        "sampler": {
            "name": sampler.name,
            "guidance_scale": diffusion.added_guidance(sampler.guidance_scale),
            "prediction": diffusion.prediction,
            "scale": diffusion.scale,
            **steps_of(diffusion, sampler),
        },
        "noise": "standard normal; a seed's as torch draws it on a CPU (MT19937, Box-Muller in blocks of sixteen)",
        "windows": [],
    }


def steps_of(diffusion: DiffusionConfig, sampler: SamplerConfig) -> dict[str, Any]:
    """Return a sampler as a table of linear steps.

    ``threshold``: each prediction's x0 is kept to [0, scale] before guidance; ``clip``: what the guided x0 is clipped
    to, or null. A step has the ``timestep`` that the network is given, ``signal`` and ``noise`` (x = signal x0 + noise
    ε), and the factors of the next x.
    """
    schedule = make_schedule(diffusion, sampler)
    signal, noise = schedule.signal.double().tolist(), schedule.noise.double().tolist()
    rows = _ddim(signal, noise) if sampler.name == "said-ddim" else _probed(diffusion, sampler)
    steps = [
        {"timestep": timestep, "signal": signal[i], "noise": noise[i], **rows[i]}
        for i, timestep in enumerate(schedule.timesteps)
    ]
    clip = diffusion.scale if sampler.name == "said-ddim" else None
    return {"threshold": schedule.thresholds, "clip": clip, "steps": steps}


def _ddim(signal: list[float], noise: list[float]) -> list[dict[str, float]]:
    """DDIM without noise: the noise of the step, which is not recomputed after the clip, at the next level."""
    rows = []
    for i in range(len(signal) - 1):
        ratio = noise[i + 1] / noise[i]
        rows.append({"keep": ratio, "clean": signal[i + 1], "raw": -ratio * signal[i], "before": 0.0})
    return rows


def _probed(diffusion: DiffusionConfig, sampler: SamplerConfig) -> list[dict[str, float]]:
    """Read the factors off the solver, which is linear: every prediction gets a coordinate of its own."""
    schedule = make_schedule(replace(diffusion, prediction="sample"), sampler)
    count = len(schedule)
    unit = torch.eye(count + 1, dtype=torch.float64)
    x, rows = unit[0], []
    for step in range(count):
        following = schedule.advance(unit[step + 1], step, x).double()
        keep = float(following[0] / x[0])
        before = float(following[step] - keep * x[step]) if step else 0.0
        rows.append({"keep": keep, "clean": float(following[step + 1]), "raw": 0.0, "before": before})
        x = following
    return rows
