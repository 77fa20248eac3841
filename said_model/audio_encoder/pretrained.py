"""Speech encoders through transformers: the wav2vec 2.0 family (wav2vec 2.0, XLSR, HuBERT, WavLM), and Whisper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from blendvoca.errors import ConfigurationError, DownloadError
from blendvoca.internal.names import first_line, shown
from said_model.audio_encoder.base import AudioEncoder, to_frames
from said_model.audio_encoder.whisper import WhisperEncoder
from said_model.config import EncoderConfig
from said_model.extras import require_package
from said_model.ranges import require_bounded

WHISPER = "whisper"
#: transformers model types: those whose feature extractor, projection and encoder stand apart, and Whisper.
FAMILIES = ("wav2vec2", "hubert", "wavlm", WHISPER)


class PretrainedEncoder(AudioEncoder):
    """A wav2vec-like model with the frame-rate resampling between its convolutions and its projection.

    The three parts keep transformers' parameter names, hence the published state dict loads as it is.
    """

    context_seconds = 2.0

    feature_extractor: nn.Module
    feature_projection: nn.Module
    encoder: nn.Module

    def __init__(self, model: Any) -> None:
        super().__init__()
        # The parts become our own children, so that parameter names start where transformers' do.
        for name, part in model.named_children():
            setattr(self, name, part)
        for name, parameter in model.named_parameters(recurse=False):
            setattr(self, name, nn.Parameter(parameter.detach()))
        self.settings: Mapping[str, Any] = model.config.to_dict()
        self.feature_dim = int(model.config.hidden_size)
        samples = 1
        for kernel, stride in zip(reversed(model.config.conv_kernel), reversed(model.config.conv_stride), strict=True):
            samples = (samples - 1) * stride + kernel
        self.min_samples = samples

    def features(self, waveform: Tensor, n_frames: int) -> Tensor:
        """(B, S) to (B, N, D)."""
        resampled = to_frames(self.feature_extractor(waveform), n_frames).transpose(1, 2)
        projected = self.feature_projection(resampled)
        # wav2vec 2.0 and WavLM also return what they normalised.
        projected = projected[0] if isinstance(projected, tuple) else projected
        return self.encoder(projected).last_hidden_state


def build_pretrained(config: EncoderConfig) -> AudioEncoder:
    """Make the encoder of ``config.settings`` with random weights; no file is read.

    :raises ConfigurationError: if the settings are of another family of models.
    """
    transformers = require_package("transformers", "a pretrained speech encoder")
    settings = dict(config.settings)
    family = settings.pop("model_type", None)
    if family not in FAMILIES:
        raise ConfigurationError(f"{config.name} is no encoder that can be used", expected=FAMILIES, found=family)
    require_bounded(settings, "settings of the encoder")
    try:
        return _without_weights(transformers, transformers.AutoConfig.for_model(family, **settings))
    except Exception as error:  # transformers and PyTorch raise many kinds for settings that make no model
        raise ConfigurationError(f"the settings of {config.name} make no encoder", found=first_line(error)) from error


def _without_weights(transformers: Any, described: Any) -> AudioEncoder:
    """Make an encoder with random weights; of Whisper its encoder alone, for the decoder is the larger half."""
    if described.model_type != WHISPER:
        return PretrainedEncoder(transformers.AutoModel.from_config(described).eval())
    from transformers.models.whisper import modeling_whisper

    return WhisperEncoder(modeling_whisper.WhisperEncoder(described).eval())


def _loaded(transformers: Any, name: str, local: bool) -> Any:
    settings = transformers.AutoConfig.from_pretrained(name, local_files_only=local, trust_remote_code=False)
    if settings.model_type not in FAMILIES:
        raise ConfigurationError(f"{name} is no encoder that can be used", expected=FAMILIES, found=settings.model_type)
    return transformers.AutoModel.from_pretrained(
        name, dtype=torch.float32, local_files_only=local, trust_remote_code=False
    )


def load_pretrained(name: str, fetch: bool = True) -> tuple[AudioEncoder, EncoderConfig]:
    """Load an encoder with its weights by name or from a folder, and describe it.

    :param name: of a model on the Hugging Face hub, or a folder that transformers reads.
    :param fetch: whether it may be downloaded where it is not on this machine.
    :raises DownloadError: if the name is not on this machine and cannot be fetched.
    :raises ConfigurationError: if it is no model of :data:`FAMILIES`.
    """
    transformers = require_package("transformers", "a pretrained speech encoder")
    try:
        try:
            # What was downloaded before is used without asking the hub, which takes long where there is no network.
            model = _loaded(transformers, name, True)
        except OSError:
            if not fetch:
                raise
            model = _loaded(transformers, name, False)
    except ConfigurationError:
        raise
    except Exception as error:  # transformers and the hub's client raise errors of several libraries
        raise DownloadError(
            f"cannot load the speech encoder {shown(name)}",
            expected="a folder that transformers can read, or a model name and a network",
            found=first_line(error),
            remedy="A checkpoint downloads none by itself. If you trust the name, fetch it where there is a network: "
            f"hf download {name}. The encoder log-mel needs no weights.",
        ) from error
    config = EncoderConfig(name if not Path(name).is_dir() else str(Path(name).resolve()), model.config.to_dict())
    if model.config.model_type == WHISPER:
        return WhisperEncoder(model.get_encoder().eval()), config
    return PretrainedEncoder(model.eval()), config
