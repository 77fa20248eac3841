"""The page itself: data packed into the template, style and scripts inlined, nothing fetched from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from blendvoca.io.atomic import write_text
from blendvoca.version import __version__
from blendvoca.view.inspect.content import ClipContent, Content, SpeakerContent
from blendvoca.view.inspect.pack import Packed, pack_field, pack_rig, pack_sound, pack_track
from blendvoca.view.shading import glsl

#: The viewer's scripts in the order in which they are read; they share one scope.
SCRIPTS = (
    *("codec.js", "head.js", "orbit.js", "renderer.js", "player.js"),
    *("timeline.js", "panels.js", "app.js", "heat.js", "pace.js", "address.js", "main.js"),
)
_TABS = (("shapes", "Shapes"), ("clips", "Clips"), ("fit", "Fit"))
_START = "start(App);\n"


@dataclass(frozen=True)
class Skin:
    """What differs between pages that are built on the viewer.

    :param title: of the browser's window; text, no markup.
    :param library: markup of the left column.
    :param tabs: names and labels of the panels on small screens.
    :param tab: the one that is open first.
    :param script: what follows the viewer's scripts, in their scope, and starts the page.
    :param stage: markup over the head.
    :param style: after the viewer's style.
    :param sources: more sources of scripts for the content security policy, such as ``blob:``.
    """

    title: str
    library: str
    tabs: Sequence[tuple[str, str]] = _TABS
    tab: str = "shapes"
    script: str = _START
    stage: str = ""
    style: str = ""
    sources: str = ""


def write_page(path: str | PathLike[str], content: Content) -> Path:
    """Write a self-contained page, atomically: it needs no network and works from ``file://``.

    :param path: of the page; its name ends in ``.html``.
    :param content: what :func:`gather` gathered.
    :raises RigError: if a rig has no triangles, or lacks shapes of a track.
    :raises OutputError: if it cannot be written.
    """
    write_text(path, render_page(content))
    return Path(path)


def render_page(content: Content) -> str:
    """Return the page's HTML. Names become data, never markup."""
    blobs: list[str] = []
    speakers = _speakers(content, blobs)
    meta = {
        "name": content.name,
        "version": __version__,
        "speakers": speakers,
        "fit_errors_mm": [round(error, 5) for error in content.fit_errors_mm],
    }
    return compose(Skin(f"{content.name} · inspect", asset("library.html")), meta, dict(enumerate(blobs)))


def compose(skin: Skin, meta: Mapping[str, Any], blobs: Mapping[Any, str]) -> str:
    """Return a page on the viewer: markup, style, scripts and data in one file.

    :param skin: the page's own parts.
    :param meta: plain data that the scripts read; names in it never become markup.
    :param blobs: base64 text of the scripts' ``blob-NAME``, by name.
    """
    style = asset("style.css") + skin.style
    light = f"const LOOK_GLSL = {json.dumps(glsl())};\n"
    script = '(() => {\n"use strict";\n' + light + "\n".join(map(asset, SCRIPTS)) + skin.script + "})();\n"
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}' {skin.sources}; style-src '{_digest(style)}'; "
        f"media-src blob:; base-uri 'none'; form-action 'none'" + ("; worker-src blob:" if skin.sources else "")
    )
    parts = {
        "TITLE": escape(skin.title),
        "POLICY": escape(policy),
        "STYLE": style,
        "TAB": skin.tab,
        "LIBRARY": skin.library,
        "TABS": "".join(f'<button data-tab="{name}">{escape(label)}</button>' for name, label in skin.tabs),
        "STAGE": skin.stage,
        "META": json.dumps(meta, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "BLOBS": "\n".join(
            f'<script type="application/octet-stream" id="blob-{name}">{text}</script>' for name, text in blobs.items()
        ),
        "SCRIPT": script,
    }
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda found: parts[found[1]], asset("template.html"))


def asset(name: str) -> str:
    """Return a text of this folder's assets."""
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _add(blobs: list[str], packed: Packed) -> dict[str, Any]:
    blobs.append(packed.text)
    return {"blob": f"blob-{len(blobs) - 1}", **packed.facts}


def _speakers(content: Content, blobs: list[str]) -> list[dict[str, Any]]:
    """Return the speakers' entries; a rig that several share is packed once."""
    rigs: dict[int, dict[str, Any]] = {}
    entries = []
    for speaker in content.speakers:
        if id(speaker.rig) not in rigs:
            rigs[id(speaker.rig)] = _add(blobs, pack_rig(speaker.rig, speaker.landmarks))
        entries.append(
            {
                "name": speaker.name,
                "split": speaker.split,
                "licence": speaker.licence,
                "n_clips": speaker.n_clips,
                "notes": list(speaker.notes),
                "rig": rigs[id(speaker.rig)],
                "clips": [_clip(clip, speaker, blobs) for clip in speaker.clips],
            }
        )
    return entries


def _clip(clip: ClipContent, speaker: SpeakerContent, blobs: list[str]) -> dict[str, Any]:
    seconds = max(track.duration for _, track in clip.tracks)
    return {
        "name": clip.name,
        "seconds": seconds,
        "transcript": clip.transcript,
        "notes": list(clip.notes),
        "tracks": [_add(blobs, pack_track(track, speaker.rig, label)) for label, track in clip.tracks],
        "sound": None if clip.waveform is None else _add(blobs, pack_sound(clip.waveform, seconds)),
        "stored_rate": None if clip.waveform is None else clip.waveform.rate,
        "fit": None if clip.certificate is None else _plain(clip.certificate.to_dict()),
        "differences": [_plain(asdict(entry)) for entry in clip.differences],
        "error_mean": None if clip.errors is None else _add(blobs, pack_field(clip.errors.vertex_mean_mm)),
        "error_max": None if clip.errors is None else _add(blobs, pack_field(clip.errors.vertex_max_mm)),
    }


def _plain(values: dict[str, object]) -> dict[str, object]:
    """Return values with what JSON cannot say (NaN, infinity) as null."""
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in values.items()}
