"""The report of a folder of shards: its figures are the shards', its worst clips are the worst, nothing is loaded."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shard_builders
from click.testing import CliRunner

from blendvoca.cli import main
from blendvoca.dataset import BlendVOCA
from blendvoca.view.report import ClipEvidence, Evidence, build_report

pytest.importorskip("PIL", reason="pip install 'blendvoca[view]' brings pillow")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    shard_builders.dataset(folder, ("alice", "bob", "carol"), frames=12)
    return folder


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("</style>")[1]))


def test_the_page_says_what_the_shards_say(shards):
    dataset = BlendVOCA(shards)
    page = build_report(dataset)
    text = words(page)
    total = sum(clip.frames for entry in dataset.manifest.shards for clip in entry.clips)
    assert f"Frames {total:,}" in text
    for entry in dataset.manifest.shards:
        assert f"{entry.speaker} {entry.split} {len(entry.clips)}" in text
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "Transfer of the blendshapes" not in text
    assert build_report(dataset) == page


def test_evidence_of_a_build_is_shown(shards):
    dataset = BlendVOCA(shards)
    asked = []

    def clip(speaker, sentence):
        asked.append((speaker, sentence))
        track = dataset[speaker, sentence].track
        errors = np.linspace(0.1, 0.4, len(track))
        return ClipEvidence(errors, np.full(dataset.rig(speaker).neutral.n_vertices, 0.7))

    figures = {"fit_mean_mm": 0.125, "cosine_worst": None}
    quality = {"figures": figures, "failed_figures": ["flips"], "failed_shapes": []}
    evidence = Evidence((("Source rig", "arkit"),), {"bob": quality}, clip, ("something odd",))
    text = words(build_report(dataset, evidence))
    assert 0 < len(asked) <= 6
    assert "red 0.7 mm" in text
    assert f"frame {len(dataset[asked[0]].track) - 1}" in text
    for said in ("Source rig arkit", "something odd", "bob: transfer figure flips is out of its limits", "bob 0.12 –"):
        assert said in text


def test_shards_without_meshes_say_why_there_is_no_picture(tmp_path):
    shard_builders.dataset(tmp_path, ("alice", "bob", "carol"), licence_class="coefficients", audio=False)
    page = build_report(BlendVOCA(tmp_path))
    assert "shards of this class hold no mesh" in page
    assert "clips have no sound" in page
    assert "<img" not in page


def test_the_command(shards, tmp_path):
    result = CliRunner().invoke(main, ["info", str(shards), "--html", str(tmp_path / "page.html")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == build_report(BlendVOCA(shards))
    unknown = CliRunner().invoke(main, ["info", str(shards), "--html", str(tmp_path / "page.pdf")])
    assert unknown.exit_code == 1
    assert "expected a name that ends in .html" in unknown.output
