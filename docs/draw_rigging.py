"""Draw the picture of docs/rigging.md: ``python docs/draw_rigging.py`` (needs the extras ``view`` and Pillow).

Rows: the true shapes of a sample head; the same from its mask by the face method; and by the plain method.
"""

from __future__ import annotations

import numpy as np
from draw_sample import FOLDER, save

from blendvoca.rig import BlendshapeRig
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.synthetic.identity import Identity
from blendvoca.transfer import TransferConfig, transfer_rig
from blendvoca.view.appearance import appearance_of
from blendvoca.view.camera import Camera
from blendvoca.view.render import Picture, Renderer

POSES = (
    "neutral", "jawOpen", "jawOpen + mouthClose", "mouthPucker", "mouthSmileLeft", "mouthRollLower", "cheekPuff",
    "eyeBlinkLeft + eyeBlinkRight",
)  # fmt: skip
FACE = Camera((0.0, -0.008, 0.05), 0.2)


def main() -> None:
    """Transfer and draw."""
    head = SyntheticHead(Identity.random(np.random.default_rng(3)))
    truth, mask = head.rig("head"), head.rig("mask")
    rigs: dict[str, BlendshapeRig] = {"truth": truth}
    for method in ("face", "sumner-popovic"):
        marks = head.landmarks("mask"), head.landmarks()
        rigs[method] = transfer_rig(mask, marks[0], truth.neutral, marks[1], TransferConfig(method)).rig
    look = appearance_of(truth.neutral, head.landmarks())
    renderer = Renderer(truth.neutral, (200, 200), look=look)
    pictures: dict[str, Picture] = {}
    for row, rig in rigs.items():
        for pose in POSES:
            moves = [rig.delta(name) for name in pose.split(" + ") if name != "neutral"]
            vertices = rig.neutral.vertices + np.sum(moves, axis=0) if moves else rig.neutral.vertices
            pictures[f"{row}: {pose}"] = renderer.draw(vertices, FACE)
    save(pictures, len(POSES), FOLDER / "rigging_methods.png")


if __name__ == "__main__":
    main()
