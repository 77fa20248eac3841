"""The authors' weights: a ``.pth`` state dict into a network of ours.

Such a file is a pickle (:mod:`said_model.checkpoints.state_dict` reads it); the network's sizes are read off the
shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.errors import ConfigurationError, FormatError
from blendvoca.internal.names import first_line
from blendvoca.io.files import decode_text, read_bytes
from blendvoca.io.json_file import anything, mapping, read_json
from said_model.checkpoints.folder import ENCODER_PREFIX, fill_network
from said_model.checkpoints.outline import outline
from said_model.checkpoints.state_dict import compare
from said_model.config import WAV2VEC2_BASE, DenoiserConfig, EncoderConfig, ModelConfig
from said_model.network.said import SaidNetwork
from said_model.ranges import require_shapes

#: Two spellings of the weight-normalised positional convolution, by the torch version that wrote the file.
_SPELLINGS = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}


def respell(state: Mapping[str, Tensor], own: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return ``state`` with the positional convolution spelt as in ``own`` names."""
    renamed = {}
    for key, value in state.items():
        for old, new in _SPELLINGS.items():
            for here, there in ((f".{old}", f".{new}"), (f".{new}", f".{old}")):
                if key.endswith(here) and key not in own and key.removesuffix(here) + there in own:
                    key = key.removesuffix(here) + there
        renamed[key] = value
    return renamed


def encoder_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Read a wav2vec 2.0 configuration off the shapes; what shapes cannot show is as in the published models."""
    shapes = {key.removeprefix(ENCODER_PREFIX): tuple(value.shape) for key, value in state.items()}
    convolutions = 1 + max(_numbers(shapes, "feature_extractor.conv_layers."))
    kernels = [shapes[f"feature_extractor.conv_layers.{i}.conv.weight"] for i in range(convolutions)]
    hidden, inputs, reach = (
        shapes.get("encoder.pos_conv_embed.conv.weight_v")
        or shapes["encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    )
    layered = "feature_extractor.conv_layers.1.layer_norm.weight" in shapes
    return {
        "model_type": "wav2vec2",
        "hidden_size": hidden,
        "num_hidden_layers": 1 + max(_numbers(shapes, "encoder.layers.")),
        "num_attention_heads": max(hidden // 64, 1),
        "intermediate_size": shapes["encoder.layers.0.feed_forward.intermediate_dense.weight"][0],
        "conv_dim": [kernel[0] for kernel in kernels],
        "conv_kernel": [kernel[2] for kernel in kernels],
        "conv_stride": [5] + [2] * (convolutions - 1),
        "conv_bias": "feature_extractor.conv_layers.0.conv.bias" in shapes,
        "num_feat_extract_layers": convolutions,
        "num_conv_pos_embeddings": reach,
        "num_conv_pos_embedding_groups": hidden // inputs,
        "feat_extract_norm": "layer" if layered else "group",
        "do_stable_layer_norm": layered,
    }


def read_encoder_settings(path: str | Path) -> dict[str, Any]:
    """Read a transformers ``config.json``.

    :raises MissingInputError: if it is not there.
    :raises FormatError: if it is no JSON object.
    """
    what = "not an encoder's configuration"
    settings: dict[str, Any] = read_json(path, mapping(anything), what)
    if "model_type" not in settings:
        raise FormatError(what, expected="an object with model_type", path=path)
    return settings


def read_names(path: str | Path) -> tuple[str, ...]:
    """Read blendshape names, one a line.

    :raises MissingInputError: if it cannot be read.
    :raises FormatError: if it is no list of names.
    """
    lines = decode_text(read_bytes(path), path).splitlines()
    names = tuple(line.strip() for line in lines if line.strip())
    try:
        require_shapes(names)
    except ConfigurationError as error:
        raise FormatError("not a list of names", expected="names that differ, one a line", found=str(error),
                          path=path) from error  # fmt: skip
    return names


def _numbers(names: Mapping[str, Any], prefix: str) -> list[int]:
    return [int(name.removeprefix(prefix).split(".")[0]) for name in names if name.startswith(prefix)]


def network_of(
    state: Mapping[str, Tensor],
    settings: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    names: Sequence[str] = BLENDVOCA_NAMES,
) -> SaidNetwork:
    """Build the network that an authors' state dict belongs to, with its weights, in evaluation mode.

    :param settings: the speech encoder's transformers configuration; read off the shapes otherwise.
    :param names: blendshapes of the channels, in order; a state dict does not hold them.
    :raises FormatError: if the weights are not those of the published architecture.
    """
    try:
        width, channels, _ = state["denoiser.model.input_blocks.0.0.weight"].shape
        feature_dim = state["null_cond_emb"].shape[-1]
        encoder = EncoderConfig(WAV2VEC2_BASE, dict(settings or encoder_settings(state)), stored=True)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        found = f"no {error}" if isinstance(error, KeyError) else first_line(error)
        raise FormatError(
            "not the weights of SAiD", expected="null_cond_emb, denoiser.model.…, audio_encoder.…",
            found=found, path=path,
        ) from error  # fmt: skip
    if channels != len(names):
        raise FormatError(
            "weights for other blendshapes", expected=f"{len(names)} channels, one a name", found=channels, path=path,
            remedy="Name them: `said import-weights FILE.pth --names NAMES.txt`.",
        )  # fmt: skip
    try:
        # The number of heads does not show in the shapes; published ones are 32 wide.
        denoiser = DenoiserConfig(width, max(width // 32, 1), feature_dim)
        config = ModelConfig(tuple(names), encoder=encoder, denoiser=denoiser)
        own = outline(lambda: SaidNetwork(config)).state_dict()
    except ConfigurationError as error:
        raise FormatError("not the weights of SAiD", found=str(error), path=path) from error
    state = respell(state, own)
    compare(own, state, "the published architecture", path)
    network = SaidNetwork(config)
    fill_network(network, state, path)
    return network.eval()
