"""Settings of a transfer."""

from __future__ import annotations

from dataclasses import dataclass, field

from blendvoca.errors import ConfigurationError
from blendvoca.transfer.correspondence import CorrespondenceConfig
from blendvoca.transfer.face_method import FaceConfig
from blendvoca.transfer.reattach import BAND
from blendvoca.transfer.region import RegionConfig
from blendvoca.transfer.registration import RegistrationConfig

METHODS = ("face", "sumner-popovic")


@dataclass(frozen=True)
class TransferConfig:
    """How shapes go from one head to another.

    :param method: ``sumner-popovic`` is the paper's algorithm; ``face`` adds what faces need (docs/rigging.md).
    :param registration: how the source is bent onto the target.
    :param correspondence: which triangles belong together.
    :param face: weights of the face method.
    :param region: which part of the head is deformed.
    :param band: narrowest band over which shapes fade towards the rest of the head, in RMS radii of the landmarks.
    :param unconstrained: landmark rows that align but are not held, so that figures on them are not circular.
    :raises ConfigurationError: for an unknown method.
    """

    method: str = "face"
    registration: RegistrationConfig = field(default_factory=RegistrationConfig)
    correspondence: CorrespondenceConfig = field(default_factory=CorrespondenceConfig)
    face: FaceConfig = field(default_factory=FaceConfig)
    region: RegionConfig = field(default_factory=RegionConfig)
    band: float = BAND

    unconstrained: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigurationError("unknown transfer method", expected=METHODS, found=self.method)
