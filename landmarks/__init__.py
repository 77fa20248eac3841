"""Facial landmarks: files, checks, transfer between meshes, picking, source rigs, and blendshapes on any head.

The names below are the public interface; they are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blendvoca.internal.lazy import lazy_names

if TYPE_CHECKING:
    from landmarks.check import LandmarkReport as LandmarkReport
    from landmarks.check import check_landmarks as check_landmarks
    from landmarks.files import read_landmarks as read_landmarks
    from landmarks.files import write_landmarks as write_landmarks
    from landmarks.rigging import RiggedHead as RiggedHead
    from landmarks.rigging import rig_head as rig_head
    from landmarks.sources import SourceRig as SourceRig
    from landmarks.sources import load_source as load_source
    from landmarks.transfer import transfer_landmarks as transfer_landmarks

_HOMES = {
    "LandmarkReport": "check",
    "RiggedHead": "rigging",
    "SourceRig": "sources",
    "check_landmarks": "check",
    "load_source": "sources",
    "read_landmarks": "files",
    "rig_head": "rigging",
    "transfer_landmarks": "transfer",
    "write_landmarks": "files",
}

__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
