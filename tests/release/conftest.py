"""A stand-in for the authors' release, in the form of theirs, made of the embedded sample."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from blendvoca.arkit import BLENDVOCA_NAMES


@dataclass(frozen=True)
class StandIn:
    """Where things lie, and how many vertices the whole head has."""

    corpus: Path
    release: Path
    kept: np.ndarray
    head_vertices: int


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """Return ``blendshape_coeffs.zip``, ``blendshape_residuals.pickle``, ``FLAME_head_idx.txt`` and their VOCASET."""
    pytest.importorskip("espeakng_loader", reason="needs a voice: pip install 'blendvoca[demo]'")
    from blendvoca.synthetic.corpus import SampleConfig, write_sample

    corpus = tmp_path_factory.mktemp("vocaset") / "sample"
    write_sample(corpus, SampleConfig(speakers=2, sentences=3, max_frames=30))
    release = tmp_path_factory.mktemp("release")
    with zipfile.ZipFile(release / "blendshape_coeffs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((corpus / "truth" / "tracks").rglob("*.csv")):
            archive.write(path, f"blendshape_coeffs/{path.parent.name}/{path.name}")
    residuals, kept, count = {}, np.empty(0), 0
    for path in sorted((corpus / "truth" / "rigs").glob("*.head.npz")):
        with np.load(path) as rig:
            vertices, names = rig["vertices"], list(rig["names"])
            deltas = rig["deltas"]
        count = len(vertices)
        kept = np.flatnonzero(np.arange(count) % 11 != 0)
        residuals[path.name.partition(".")[0]] = {name: deltas[names.index(name)][kept] for name in BLENDVOCA_NAMES}
    (release / "blendshape_residuals.pickle").write_bytes(pickle.dumps(residuals, protocol=4))
    (release / "FLAME_head_idx.txt").write_text("\n".join(map(str, kept)) + "\n")
    return StandIn(corpus, release, kept, count)
