"""Draw the pictures of docs/sample.md: ``python docs/draw_sample.py`` (needs the extras ``view`` and Pillow)."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from blendvoca.synthetic.anatomy.shapes import SHAPE_NAMES
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.speakers import make_speaker
from blendvoca.view.appearance import appearance_of
from blendvoca.view.camera import Camera
from blendvoca.view.render import Picture, Renderer
from blendvoca.view.sheet import tile

FOLDER = Path(__file__).parent / "images"
FACE = Camera((0.0, -0.008, 0.05), 0.2)


def shapes(canonical: CanonicalHead, region: str, size: int) -> None:
    """Draw the neutral, all shapes, and jawOpen with mouthClose."""
    head = SyntheticHead(canonical=canonical)
    rig = head.rig(region)
    look = appearance_of(rig.neutral, head.landmarks(region))
    renderer = Renderer(rig.neutral, (size, size), look=look)
    poses = {"neutral": rig.neutral.vertices} | {name: rig.neutral.vertices + rig.delta(name) for name in SHAPE_NAMES}
    poses["jawOpen + mouthClose"] = poses["jawOpen"] + rig.delta("mouthClose")
    pictures = {name: renderer.draw(pose, FACE) for name, pose in poses.items()}
    save(pictures, 10, FOLDER / f"sample_shapes_{region}.png")


def speakers(canonical: CanonicalHead, count: int, size: int) -> None:
    """Draw the first speakers of the default sample, from the front and from the side."""
    pictures: dict[str, Picture] = {}
    for yaw in (0.0, 40.0, 90.0):
        for number in range(1, count + 1):
            speaker = make_speaker(number, 0)
            head = SyntheticHead(speaker.identity, canonical)
            mesh, landmarks = head.head()
            camera = Camera((0.0, 0.0, 0.0), 0.31, yaw)
            renderer = Renderer(mesh, (size, size), look=appearance_of(mesh, landmarks))
            picture = renderer.draw(mesh.vertices, camera)
            pictures[speaker.name if yaw == 0.0 else f"{speaker.name}, {yaw:g}°"] = picture
    save(pictures, count, FOLDER / "sample_speakers.png")


def save(pictures: dict[str, Picture], columns: int, path: Path) -> None:
    """Write pictures with their names as one sheet."""
    sheet = Image.fromarray(tile(list(pictures.values()), list(pictures), columns))
    path.parent.mkdir(exist_ok=True)
    sheet.quantize(160, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


if __name__ == "__main__":
    average = CanonicalHead()
    shapes(average, "head", 170)
    shapes(average, "mask", 170)
    speakers(average, 6, 230)
