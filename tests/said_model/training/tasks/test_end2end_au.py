"""The regression baseline: shape, layers, training that learns, weights that come back, refusals."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import shard_builders  # noqa: E402
from click.testing import CliRunner  # noqa: E402
from torch import nn  # noqa: E402

from blendvoca.dataset import BlendVOCA  # noqa: E402
from blendvoca.errors import FormatError, MissingInputError  # noqa: E402
from said_model.evaluation.baselines.end2end_au import (  # noqa: E402
    End2EndAU,
    RegressorConfig,
    load_regressor,
    predict,
    regression_loss,
)
from said_model.evaluation.outputs import read_outputs  # noqa: E402

NAMES = ("jawOpen", "mouthClose")


def test_five_convolutions_three_poolings_and_one_track(babble):
    model = End2EndAU(RegressorConfig(NAMES)).eval()
    kinds = [type(layer) for layer in model.encoder]
    assert kinds.count(nn.Conv2d) == 5 and kinds.count(nn.MaxPool2d) == 3
    first, second = predict(model, babble), predict(model, babble)
    assert first.values.shape == (180, 2) and np.array_equal(first.values, second.values)


def test_loss_counts_masked_frames_out():
    prediction, target = torch.zeros(1, 4, 2), torch.ones(1, 4, 2)
    target[0, 3] = 9.0
    assert float(regression_loss(prediction, target, torch.tensor([[True, True, True, False]]))) == pytest.approx(1.0)


def test_command_trains_and_writes_tracks(tmp_path):
    from said_model.cli import main

    shards, run = tmp_path / "shards", tmp_path / "run"
    shard_builders.dataset(shards, frames=60, sentences=2)
    options = ["--model", "end2end-au", "--steps", "6", "--evaluate-every", "3", "--batch", "2", "--frames", "40",
               "--device", "cpu"]  # fmt: skip
    done = CliRunner().invoke(main, ["train", str(shards), "--out", str(run), *options])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["baseline", str(run), str(shards), "--out", str(tmp_path / "tracks")])
    assert done.exit_code == 0, done.output
    truth = BlendVOCA(shards, "test")
    assert set(read_outputs(tmp_path / "tracks", truth).tracks) == set(truth.keys())
    done = CliRunner().invoke(main, ["train", str(shards), "--out", str(tmp_path / "b"), *options, "--width", "64"])
    assert done.exit_code != 0 and "width" in done.output
    with pytest.raises(MissingInputError, match="end2end-au"):
        load_regressor(tmp_path / "shards")
    (run / "end2end_au.json").write_text('{"model": {"names": ["a"]}}')
    with pytest.raises(FormatError, match="regression baseline"):
        load_regressor(run)
