"""Outputs of vertex models: names, shapes, rates, and coefficients that come back from posed vertices."""

from __future__ import annotations

import numpy as np
import pytest
import shard_builders
from click.testing import CliRunner

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, FormatError, MissingInputError
from said_model.baselines.vertex_models import find_outputs, model_named, read_vertices


def test_names_tell_clip_and_style(tmp_path):
    (tmp_path / "alice").mkdir()
    for name in ("alice/sentence01.npy", "alice/sentence02-3.npy", "bob_x_sentence03_condition_B.npy",
                 "bob_x_sentence03_condition_A.npy"):  # fmt: skip
        np.save(tmp_path / name, np.zeros((2, 6)))
    found = {(o.speaker, o.sentence, o.number) for o in find_outputs(tmp_path)}
    assert found == {("alice", "sentence01", 0), ("alice", "sentence02", 3), ("bob_x", "sentence03", 1),
                     ("bob_x", "sentence03", 2)}  # fmt: skip
    np.save(tmp_path / "lonely.npy", np.zeros((2, 6)))
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


def test_command_brings_coefficients_back_at_twice_the_rate(tmp_path):
    from said_model.cli import main

    shards, outputs = tmp_path / "shards", tmp_path / "outputs"
    shard_builders.dataset(shards, frames=40, sentences=1)
    truth = BlendVOCA(shards, "test", audio=False)
    speaker, sentence = truth.keys()[0]
    (outputs / speaker).mkdir(parents=True)
    frames = truth.rig(speaker).pose(truth[0].track.values)[::2]
    np.save(outputs / speaker / f"{sentence}.npy", frames.reshape(len(frames), -1).astype(np.float32))
    options = ["--model", "meshtalk", "--data", str(shards), "--out", str(tmp_path / "tracks")]
    done = CliRunner().invoke(main, ["import-vertices", str(outputs), *options])
    assert done.exit_code == 0, done.output
    from blendvoca.io.csv import read_track

    track = read_track(tmp_path / "tracks" / speaker / f"{sentence}.csv")
    count = min(len(track), len(truth[0].track)) - 1
    assert abs(len(track) - len(truth[0].track)) <= 1
    assert np.abs(track.values[:count] - truth[0].track.values[:count]).max() < 0.02
