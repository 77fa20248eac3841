"""Stage ``source``: the rig that is transferred to every speaker, with the chosen shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blendvoca.errors import MissingInputError
from blendvoca.io.digest import digest_bytes, digest_file, digest_folder, digest_json
from landmarks.assets import find_asset
from landmarks.sources import load_source
from pipelines.artefact import write_artefact
from pipelines.records import pack_rig
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace

#: Files that named sources are read from.
_FILES = {
    "arkit": ("ARKit_reference_blendshapes.zip", "ARKit_landmarks.txt"),
    "ict": ("ict_facekit.npz",),
}


class Source(Stage):
    """Read the source rig and its landmarks."""

    name, title, unit, settings = "source", "source rig", "rig", ("shapes",)
    required = True

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the one source."""
        return ["rig"]

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return the source's name and what its files hold."""
        name = work.source_name
        return {"name": Path(name).name, "files": _fingerprint(name)}

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Load it with the chosen shapes."""
        shapes = work.config.shapes
        chosen = shapes if shapes in ("blendvoca", "all") else tuple(name.strip() for name in shapes.split(","))
        source = load_source(work.source_name).select(chosen)
        neutral = source.rig.neutral
        facts = {
            "name": source.name,
            "licence": source.licence,
            "shapes": len(source.rig.names),
            "neutral": digest_bytes(b"".join(a.tobytes() for a in (neutral.vertices, neutral.faces, source.landmarks))),
        }
        write_artefact(target, facts, landmarks=source.landmarks, **pack_rig(source.rig))
        return facts


def _fingerprint(name: str) -> str:
    """Return the hash of a source's files; the synthetic head is the package's own."""
    if name == "synthetic":
        return "computed"
    path = Path(name)
    if path.is_dir():
        folders = (path, *sorted(entry for entry in path.rglob("*") if entry.is_dir()))
        return digest_json([digest_folder(folder) for folder in folders])
    if path.is_file():
        return digest_file(path)
    try:
        return digest_json([digest_file(find_asset(file)) for file in _FILES.get(name, ())])
    except MissingInputError:
        return "none"  # Loading it will say in full what is missing.
