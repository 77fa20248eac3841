"""ARKit's reference shapes on ICT identities and on the sample: every figure keeps to its limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blendvoca.io.rig.ict import read_ict
from blendvoca.transfer import TransferConfig, transfer_rig
from landmarks.sources import SourceRig, load_source

SEEDS = (None, 11, 12, 13)


@pytest.fixture(scope="module")
def arkit(assets: Path) -> SourceRig:
    """ARKit's reference, all shapes."""
    return load_source("arkit", assets=assets / "said")


@pytest.mark.parametrize("seed", SEEDS)
def test_icts_identities_keep_to_every_limit(assets: Path, arkit: SourceRig, seed: int | None) -> None:
    model = read_ict(assets / "ict_facekit" / "ict_facekit.npz")
    names = list(model.identities)
    weights = {} if seed is None else dict(zip(names, np.random.default_rng(seed).normal(size=len(names)), strict=True))
    source = arkit.select((*arkit.select("blendvoca").rig.names, "eyeBlinkLeft", "eyeBlinkRight"))
    head = model.rig(weights, "face").neutral
    report = transfer_rig(source.rig, source.landmarks, head, model.landmarks).report
    assert report.failed_figures == () and report.failed_shapes == ()


def test_the_plain_method_does_not(assets: Path, arkit: SourceRig) -> None:
    """Otherwise the limits would say nothing."""
    model = read_ict(assets / "ict_facekit" / "ict_facekit.npz")
    head = model.rig({}, "face").neutral
    plain = transfer_rig(arkit.rig, arkit.landmarks, head, model.landmarks, TransferConfig("sumner-popovic")).report
    assert {"lip_seal_mm", "flips"} <= set(plain.failed_figures)


def test_the_lips_are_unfolded(arkit: SourceRig, sample) -> None:  # type: ignore[no-untyped-def]
    """ARKit's inner lips stand apart, the sample's touch: without the guide, triangles fold over."""
    source = arkit.select((*arkit.select("blendvoca").rig.names, "eyeBlinkLeft", "eyeBlinkRight"))
    face = transfer_rig(source.rig, source.landmarks, sample.head.neutral, sample.head_landmarks)
    plain = transfer_rig(
        source.rig, source.landmarks, sample.head.neutral, sample.head_landmarks, TransferConfig("sumner-popovic")
    )
    assert plain.report.figures["registration_flips"] > 0
    assert face.report.failed_figures == () and face.report.failed_shapes == ()
