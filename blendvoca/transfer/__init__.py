"""Blendshapes from one head to another: registration, correspondence, deformation transfer.

`transfer_rig` is the entry point. Inside, in the order of the work: `checks` (what is refused), `region` (which part of
the head), `common_space` (alignment and normalised units), `registration`, then a method (`sumner_popovic`, or
`face_method` with `lip_sides`, `lids`, `mouth_rim` and `coverage`); `prepared` holds these, and what the mouth needs
(`inner_mouth`, `fused`, `torn`, `contact`). Then `reattach`, `parts`, `lid_contact`, and the figures (`quality`,
`report`).
`frames`, `correspondence` and `operator` serve both methods.
"""

from blendvoca.transfer.config import METHODS, TransferConfig
from blendvoca.transfer.prepared import PreparedTransfer, prepare
from blendvoca.transfer.quality.report import TransferReport
from blendvoca.transfer.region import face_region
from blendvoca.transfer.transfer_rig import TransferResult, transfer_rig

__all__ = [
    "METHODS",
    "PreparedTransfer",
    "TransferConfig",
    "TransferReport",
    "TransferResult",
    "face_region",
    "prepare",
    "transfer_rig",
]
