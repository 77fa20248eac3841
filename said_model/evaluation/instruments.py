"""What tracks are measured with."""

from __future__ import annotations

from dataclasses import dataclass

from blendvoca.vertex_sets import VertexSet
from said_model.audio_encoder import AudioEncoder
from said_model.evaluation.metrics.wind import REPEATS
from said_model.evaluation.sync_expert import SyncExpert
from said_model.evaluation.syncnet import SyncNet
from said_model.evaluation.vae import CoefficientVAE


@dataclass(frozen=True)
class Instruments:
    """What is measured with; what is ``None`` is left out of the report.

    :param vae: of FD, WInD and multimodality.
    :param sync: of offset and confidence.
    :param encoder: the sync's.
    :param syncnet: the published network, that looks at rendered faces.
    :param lips: vertex set of LVE, of the whole head where a shard holds a crop of it; None takes the mouth region of
        each speaker's rig.
    :param upper: vertex set of FDD likewise; None takes the upper face.
    :param rigs: whether vertices are measured at all.
    :param repeats: of WInD.
    :param seed: of WInD's repeats and of the pairs of multimodality.
    """

    vae: CoefficientVAE | None = None
    sync: SyncExpert | None = None
    encoder: AudioEncoder | None = None
    syncnet: SyncNet | None = None
    lips: VertexSet | None = None
    upper: VertexSet | None = None
    rigs: bool = True
    repeats: int = REPEATS
    seed: int = 0
