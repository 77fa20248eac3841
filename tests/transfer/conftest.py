"""The sample's mask and head, made once for all tests of the transfer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.identity import Identity
from blendvoca.transfer import TransferResult, transfer_rig

NAMES = (*BLENDVOCA_NAMES, "eyeBlinkLeft", "eyeBlinkRight")


@dataclass(frozen=True)
class Sample:
    """One identity in both samplings."""

    mask: BlendshapeRig
    mask_landmarks: NDArray[np.int64]
    head: BlendshapeRig
    head_landmarks: NDArray[np.int64]

    def transfer(self, target: Mesh | None = None, **options: object) -> TransferResult:
        """Rig this head, or another mesh of its topology, from the mask."""
        mesh = target or self.head.neutral
        return transfer_rig(self.mask, self.mask_landmarks, mesh, self.head_landmarks, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def canonical() -> CanonicalHead:
    """The average head's samplings."""
    return CanonicalHead()


@pytest.fixture(scope="session")
def sample(canonical: CanonicalHead) -> Sample:
    """A speaker that is not the average head."""
    head = SyntheticHead(Identity.random(np.random.default_rng(3)), canonical)
    return Sample(head.rig("mask", NAMES), head.landmarks("mask"), head.rig("head", NAMES), head.landmarks("head"))


@pytest.fixture(scope="session")
def result(sample: Sample) -> TransferResult:
    """The sample's head rigged from its mask."""
    return sample.transfer()
