"""Blendshapes from one head to another: registration, correspondence, deformation transfer.

`transfer_rig` is the door. Inside, in the order of the work: `checks` (what is refused), `space` (alignment and
normalised units), `registration`, `correspondence`, `operator`; `frames` holds the deformation gradients that they share.
"""

from blendvoca.transfer.config import METHODS, TransferConfig
from blendvoca.transfer.front import PreparedTransfer, TransferResult, prepare, register_heads, transfer_rig

__all__ = [
    "METHODS",
    "PreparedTransfer",
    "TransferConfig",
    "TransferResult",
    "prepare",
    "register_heads",
    "transfer_rig",
]
