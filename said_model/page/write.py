"""The page itself: the viewer, the model and its runtime, packed into one file that needs no network."""

from __future__ import annotations

import base64
import json
import tempfile
import zlib
from dataclasses import dataclass
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES, GROUPS
from blendvoca.audio import Waveform
from blendvoca.errors import RigError
from blendvoca.io.atomic import write_text
from blendvoca.io.rig.gltf_write import write_glb
from blendvoca.rig import BlendshapeRig
from blendvoca.version import __version__
from blendvoca.view.inspect.pack import Packed, pack, pack_rig
from blendvoca.view.inspect.page import Skin, compose
from blendvoca.view.materials import materials_of
from blendvoca.view.sheet import METRIC_EXTENT
from said_model.checkpoints.onnx_export import export_onnx
from said_model.config import SAMPLE_RATE, SamplerConfig
from said_model.network.said import SaidNetwork

if TYPE_CHECKING:
    from said_model.page.runtime import Runtime

#: Scripts of the worker, and of the page after the viewer's, in the order in which they are read.
WORKER = ("spectra.js", "resample.js", "noise.js", "sampler.js", "engine.js")
PAGE = ("drawing.js", "sounds.js", "tables.js", "glb.js", "gltf_rig.js", "talk.js")
TITLE = "Speech to face"
_TABS = (("clips", "Sound"), ("shapes", "Shapes"), ("fit", "Save"))
#: What the page's scripts need besides themselves: WebAssembly, and the worker and the runtime that they start.
_SOURCES = "blob: 'wasm-unsafe-eval'"


@dataclass(frozen=True, eq=False)
class Face:
    """The head that talks.

    :param name: shown on the page.
    :param rig: in metres, with some of the model's blendshapes.
    :param landmarks: (68,) vertices in iBUG order, where they are known.
    """

    name: str
    rig: BlendshapeRig
    landmarks: NDArray[np.integer] | None = None


def write_talk_page(
    path: str | PathLike[str],
    network: SaidNetwork,
    sampler: SamplerConfig,
    face: Face,
    runtime: Runtime,
    sound: tuple[str, Waveform] | None = None,
) -> Path:
    """Write a page in which a model turns sound into a talking face, atomically: it works offline, from ``file://``.

    :param path: of the page; its name ends in ``.html``.
    :param network: with the log-mel encoder.
    :param sampler: how takes are drawn.
    :param face: the head that talks.
    :param runtime: onnxruntime-web (:func:`said_model.page.runtime.find_runtime`).
    :param sound: a name and a waveform that the page speaks when it is opened.
    :raises ConfigurationError: for another speech encoder.
    :raises MissingDependencyError: without onnx and onnxscript.
    :raises RigError: if the rig has none of the model's blendshapes, or no triangles.
    :raises OutputError: if the page cannot be written.
    """
    if not set(face.rig.names) & set(network.config.names):
        raise RigError(
            "the rig has none of the model's blendshapes", expected=f"names such as {network.config.names[3]}",
            found=", ".join(face.rig.names[:6]),
        )  # fmt: skip
    blobs = {"runtime": _packed(runtime.script.read_bytes()), "wasm": _packed(runtime.wasm.read_bytes())}
    with tempfile.TemporaryDirectory() as folder:
        exported = export_onnx(Path(folder) / "model.onnx", network, sampler)
        description = json.loads(exported.description.read_text(encoding="utf-8"))
        blobs["model"] = _packed(exported.model.read_bytes())
        if exported.encoder is not None:
            blobs["encoder"] = _packed(exported.encoder.read_bytes())
        head = Path(folder) / "head.glb"
        write_glb(head, face.rig, None, face.name, materials_of(face.rig.neutral, face.landmarks))
        blobs["glb"] = _packed(head.read_bytes())
    meta: dict[str, Any] = {
        "name": TITLE,
        "version": __version__,
        "fit_errors_mm": [],
        "model": description,
        "arkit": {"arkit": list(ARKIT_NAMES), "groups": GROUPS, "metric": METRIC_EXTENT},
        "speakers": [_speaker(face, _add(blobs, "rig", pack_rig(face.rig, face.landmarks)))],
        "sound": None,
    }
    if sound is not None:
        name, waveform = sound
        packed = pack({"samples": waveform.resampled(SAMPLE_RATE).to_int16()}, rate=SAMPLE_RATE, name=name)
        meta["sound"] = _add(blobs, "sound", packed)
    write_text(path, compose(_skin(), meta, blobs))
    return Path(path)


def _speaker(face: Face, rig: dict[str, Any]) -> dict[str, Any]:
    """Return the head as the viewer's lists have it: a speaker without clips."""
    plain = {"split": "", "licence": "", "n_clips": 0, "notes": [], "clips": []}
    return {"name": face.name, "rig": rig, **plain}


def _add(blobs: dict[str, str], name: str, packed: Packed) -> dict[str, Any]:
    blobs[name] = packed.text
    return {"blob": f"blob-{name}", **packed.facts}


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def _skin() -> Skin:
    engine = "\n".join(map(_asset, WORKER))
    script = f"const ENGINE = {json.dumps(engine)};\n".replace("</", "<\\/") + "\n".join(map(_asset, PAGE))
    return Skin(
        TITLE, _asset("library.html"), tabs=_TABS, tab="clips", script=script, stage=_asset("stage.html"),
        style=_asset("style.css"), sources=_SOURCES,
    )  # fmt: skip


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
