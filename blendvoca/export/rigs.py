"""Rigs in any form that is read here, and tracks fitted to their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from blendvoca.errors import ConfigurationError, nearest
from blendvoca.export.recipes import RECIPES, load_recipe, to_recipe
from blendvoca.internal.spelling import match_names
from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
from blendvoca.io.rig.gltf_read import read_gltf_rig
from blendvoca.io.rig.obj_folder import read_rig_folder
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.rig_file import read_rig
from blendvoca.track import CoefficientTrack

#: A rig with fewer visemes does not speak with them.
_FEWEST_VISEMES = 3


def no_report(note: str) -> None:
    """Where nobody asks what was changed."""


def load_rig(
    source: str | PathLike[str],
    *,
    part: str | None = None,
    neutral: str | None = None,
    on_report: Callable[[str], None] = no_report,
) -> BlendshapeRig:
    """Read a rig: rig file or shard (``.h5``), glTF, GLB or VRM with morph targets, or a folder or zip of OBJ files.

    :param source: a shard, a rig file, a glTF file, or a folder or zip of OBJ shapes.
    :param part: of a glTF file, only the part of this name.
    :param neutral: of a folder, the file that is the neutral.
    :param on_report: is called with every sentence about what was renamed, left out or turned.
    :raises MissingInputError: if there is none.
    :raises ConfigurationError: for a choice that this form does not have.
    :raises LicenceError: for a shard whose licence class left the neutral mesh out.
    """
    path = Path(source)
    suffix = path.suffix.lower()
    is_gltf, is_file = suffix in GLTF_SUFFIXES, suffix == ".h5"
    if part is not None and not is_gltf:
        raise ConfigurationError("--part chooses from a glTF file", expected=", ".join(GLTF_SUFFIXES), found=path.name)
    if neutral is not None and (is_gltf or is_file):
        raise ConfigurationError("--neutral names a file of a folder of shapes", expected="a folder", found=path.name)
    if is_gltf:
        found = read_gltf_rig(path, part)
        for note in found.notes:
            on_report(note)
        return found.rig
    if is_file:
        return read_rig(path).whole(path)
    return read_rig_folder(path, neutral, on_report=on_report)


def spoken_with(
    track: CoefficientTrack, names: Sequence[str], on_report: Callable[[str], None] = no_report
) -> CoefficientTrack:
    """Return the track as visemes where a rig has those and none of ARKit's mouth shapes; else the track itself.

    :param names: of the rig's shapes: ``Fcl_MTH_A`` (VRoid), ``A`` (VRM 0.x), ``aa`` (VRM 1.0), ``viseme_PP``, …
    :param on_report: is called with what was done.
    """
    mouth = [name for name in track.names if name.startswith(("jaw", "mouth"))]
    if not mouth or match_names(mouth, list(names)):
        return track
    found = {}
    for name in RECIPES:
        recipe = load_recipe(name)
        matched = match_names(list(recipe.shapes), list(names))
        found[name] = [viseme for viseme in recipe.visemes if viseme in matched], matched
    best = max(found, key=lambda name: len(found[name][0]))
    visemes, matched = found[best]
    if len(visemes) < _FEWEST_VISEMES:
        return track
    shown = ", ".join(matched[viseme][0] for viseme in visemes[:3])
    on_report(f"the rig has no ARKit mouth but visemes ({shown}, …): the track is brought onto them ({best})")
    return to_recipe(track, load_recipe(best)).select([name for name in load_recipe(best).shapes if name in matched])


def fitted_to(
    track: CoefficientTrack, rig: BlendshapeRig, on_report: Callable[[str], None] = no_report
) -> CoefficientTrack:
    """Return a track under a rig's own names, matched as :func:`blendvoca.internal.spelling.match_names` does.

    A rig that speaks with visemes gets those (:func:`spoken_with`).

    :param on_report: is called with the shapes that the rig lacks; they are left out.
    :raises RigError: if the rig has none of them.
    """
    if set(track.names) <= set(rig.names):
        return track
    track = spoken_with(track, rig.names, on_report)
    matched = match_names(list(track.names), list(rig.names))
    if not matched:
        rig.indices(track.names)
    columns: dict[str, np.ndarray] = {}
    for name, column in zip(track.names, track.values.T):
        for own in matched.get(name, ()):
            columns.setdefault(own, column)
    lacking = [name + nearest(name, rig.names) for name in track.names if name not in matched]
    if lacking:
        shown = f"{', '.join(lacking[:5])}{', …' if len(lacking) > 5 else ''}"
        on_report(f"{len(lacking)} of {len(track.names)} shapes are not in the rig and left out: {shown}")
    return CoefficientTrack(np.stack(list(columns.values()), axis=1), tuple(columns), track.fps)
