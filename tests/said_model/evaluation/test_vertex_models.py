"""Outputs of vertex models: names, shapes, rates, and coefficients that come back from posed vertices."""

from __future__ import annotations

import numpy as np
import pytest
import shard_builders
from click.testing import CliRunner

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import BlendvocaError, ConfigurationError, FormatError, MissingInputError
from said_model.evaluation.baselines.vertex_models import find_outputs, model_named, read_vertices
from said_model.evaluation.outputs import read_outputs


def test_names_tell_clip_and_style(tmp_path):
    (tmp_path / "alice").mkdir()
    for name in ("alice/sentence01.npy", "alice/sentence02-3.npy", "bob_x_sentence03_condition_B.npy",
                 "bob_x_sentence03_condition_A.npy"):  # fmt: skip
        np.save(tmp_path / name, np.zeros((2, 6)))
    found = {(o.speaker, o.sentence, o.number) for o in find_outputs(tmp_path)}
    assert found == {("alice", "sentence01", 0), ("alice", "sentence02", 3), ("bob_x", "sentence03", 1),
                     ("bob_x", "sentence03", 2)}  # fmt: skip
    np.save(tmp_path / "unpaired.npy", np.zeros((2, 6)))
    with pytest.raises(FormatError, match="whose output"):
        find_outputs(tmp_path)
    with pytest.raises(MissingInputError):
        find_outputs(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="faceformer"):
        model_named("faceformr")


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 15), (1, 4, 15), (1, 4, 5, 3)])
def test_shapes_are_read(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.arange(60.0).reshape(shape))
    assert np.array_equal(read_vertices(tmp_path / "a.npy"), np.arange(60.0).reshape(4, 5, 3))


@pytest.mark.parametrize("array", [np.zeros((4, 5)), np.zeros((4, 5, 2)), np.full((4, 6), np.nan), np.zeros(3)])
def test_others_are_refused(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(FormatError):
        read_vertices(tmp_path / "a.npy")


def _name(layout: str, speaker: str, sentence: str, style: str) -> str:
    return layout.format(speaker=speaker, sentence=sentence, style=style)


@pytest.mark.parametrize(
    ("model", "fps", "layout", "flat"),
    [
        ("voca", 60, "{speaker}/{sentence}-{style}.npy", False),
        ("meshtalk", 60, "{speaker}_{sentence}.npy", False),
        ("faceformer", 30, "{speaker}_{sentence}_condition_{style}.npy", True),
        ("codetalker", 30, "{speaker}_{sentence}_condition_{style}.npy", True),
    ],
)
def test_truth_comes_back_from_every_model_s_files(tmp_path, model, fps, layout, flat):
    """The truth's vertices, written as the model writes them and at its rate, are fitted back to the truth."""
    from said_model.cli import main

    shards, outputs = tmp_path / "shards", tmp_path / "outputs"
    shard_builders.dataset(shards, frames=40, sentences=1)
    truth = BlendVOCA(shards, "test", audio=False)
    (speaker, sentence), track = truth.keys()[0], truth[0].track
    styles = model_named(model).styles
    for style in range(1, styles + 1):
        frames = truth.rig(speaker).pose(track.values * (1 - 0.05 * (style - 1)))[:: 60 // fps].astype(np.float32)
        path = outputs / _name(layout, speaker, sentence, str(style))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, frames.reshape(len(frames), -1) if flat else frames)
    options = ["--model", model, "--data", str(shards), "--out", str(tmp_path / "tracks")]
    done = CliRunner().invoke(main, ["import-vertices", str(outputs), *options])
    assert done.exit_code == 0, done.output
    assert f"{styles} tracks of 1 clips" in done.output and "note" not in done.output
    found = read_outputs(tmp_path / "tracks", truth).tracks[speaker, sentence]
    assert len(found) == styles
    for style, made in enumerate(found):
        count = min(len(made), len(track)) - 1
        assert abs(len(made) - len(track)) <= 1
        expected = track.values[:count] * (1 - 0.05 * style)
        assert np.abs(made.values[:count] - expected).max() < (1e-4 if fps == 60 else 0.02)


def test_what_does_not_fit_the_data_is_refused(tmp_path):
    from said_model.cli import main

    shard_builders.dataset(tmp_path / "shards", frames=40, sentences=1)
    (tmp_path / "outputs").mkdir()
    for name, vertices, complaint in (("nobody_sentence01", 24, "nobody"), ("alice_sentence01", 7, "7")):
        path = tmp_path / "outputs" / f"{name}.npy"
        np.save(path, np.zeros((5, vertices, 3)))
        options = ["--model", "voca", "--data", str(tmp_path / "shards"), "--out", str(tmp_path / "tracks")]
        done = CliRunner().invoke(main, ["import-vertices", str(tmp_path / "outputs"), *options])
        assert done.exit_code and isinstance(done.exception, (BlendvocaError, SystemExit))
        assert complaint in f"{done.exception} {done.output}"
        path.unlink()


def test_two_files_of_one_output_are_refused(tmp_path):
    for folder in ("a/alice", "b/alice"):
        (tmp_path / folder).mkdir(parents=True)
        np.save(tmp_path / folder / "sentence01.npy", np.zeros((2, 6)))
    with pytest.raises(FormatError, match="one output"):
        find_outputs(tmp_path)
