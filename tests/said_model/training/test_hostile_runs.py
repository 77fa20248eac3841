"""Run folders that were damaged or tampered with, datasets that cannot be written, leftovers of killed trainings."""

import os

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("diffusers")

import shard_builders  # noqa: E402

from blendvoca.errors import FormatError, OutputError  # noqa: E402
from said_model.audio_encoder import features  # noqa: E402
from said_model.training.recipes import said_recipe  # noqa: E402
from said_model.training.run_folder import RunLog, only_run  # noqa: E402
from said_model.training.tasks.said import train  # noqa: E402

SMALL = {"width": 32, "batch": 4, "frames": 24, "learning_rate": 2e-3, "warmup": 5, "evaluate_every": 2, "steps": 2}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    shard_builders.dataset(folder, ("alice", "bob", "carol", "dave"), frames=40)
    return folder


@pytest.fixture(scope="module")
def finished(shards, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "run"
    train(shards, out, said_recipe(shards, **SMALL).config, device="cpu")
    return out


def _first(state):
    return next(iter(state["optimizer"]["state"].values()))


CHANGES = {
    "no step": lambda state: state.pop("step"),
    "text for a step": lambda state: state.update(step="4"),
    "a step below zero": lambda state: state.update(step=-1),
    "a best that is no number": lambda state: state.update(best=float("nan")),
    "a list for a validation": lambda state: state.update(validation=[1.0]),
    "no module": lambda state: state.pop("module"),
    "a module that is text": lambda state: state.update(module="x"),
    "no optimiser": lambda state: state.pop("optimizer"),
    "moments of another shape": lambda state: _first(state).update(exp_avg=torch.zeros(3)),
    "moments that are no tensors": lambda state: _first(state).update(exp_avg=3.0),
    "moments that are no numbers": lambda state: _first(state)["exp_avg_sq"].fill_(float("nan")),
    "averages that stretch": lambda state: state.update(average=[torch.zeros(()) for _ in state["average"]]),
    "fewer averages": lambda state: state["average"].pop(),
    "sums without names": lambda state: state.update(names=[1, 2]),
    "sums of another number": lambda state: state.update(sums=torch.zeros(99)),
    "a count that is text": lambda state: state.update(counted="x"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_states_with_missing_or_ill_typed_keys(shards, finished, tmp_path, name):
    for path in finished.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    CHANGES[name](state)
    torch.save(state, tmp_path / "state.pt")
    with pytest.raises(FormatError, match=r"state\.pt: the state of the run cannot be read"):
        train(shards, tmp_path, said_recipe(shards, **{**SMALL, "steps": 4}).config, device="cpu")


def test_hyperparameters_are_those_of_the_settings_whatever_a_state_says(shards, finished, tmp_path):
    for path in finished.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    state["optimizer"]["param_groups"][0] |= {"betas": "x", "eps": None}
    torch.save(state, tmp_path / "state.pt")
    assert train(shards, tmp_path, said_recipe(shards, **{**SMALL, "steps": 4}).config, device="cpu").steps == 4


def test_a_log_of_bytes(tmp_path):
    (tmp_path / "log.csv").write_bytes(b"\xff\xfe\x00" * 100)
    with pytest.raises(FormatError, match=r"log\.csv: not a text file"):
        RunLog(tmp_path).cut(3)
    (tmp_path / "log.csv").write_bytes(b"")
    RunLog(tmp_path).cut(3)


def test_a_dataset_that_cannot_be_written_gets_its_features_in_the_run_s_folder(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "can_write", lambda folder: False)
    notes, recipe = [], said_recipe(shards, **SMALL, encoder_input="clip")
    before = sorted(shards.rglob("*"))
    # What an earlier training has put beside the shards is read there.
    kept = [path for path in before if path.suffix == ".npy"]
    for path in kept:
        path.unlink()
    train(shards, tmp_path / "run", recipe.config, device="cpu", on_note=notes.append)
    assert not list(shards.rglob("*.npy")) and list((tmp_path / "run").rglob("*.npy"))
    assert any("cannot be written: new features go to" in note for note in notes)


def test_whether_a_folder_can_be_written_is_asked_of_the_nearest_one(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: bool(asked.append(path)))
    assert not features.can_write(tmp_path / "a" / "b")
    assert asked == [tmp_path]


def test_leftovers_of_a_killed_training_are_removed_and_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    run = tmp_path / "run"
    run.mkdir()
    (run / ".state.pt.abcd.part.pt").write_bytes(b"half")
    (run / ".log.csv.x.part.csv").symlink_to(outside)
    (run / "state.pt").write_bytes(b"whole")
    with only_run(run):
        assert sorted(path.name for path in run.iterdir() if not path.name.startswith(".lock")) == ["state.pt"]
    assert outside.read_text() == "mine"


def test_a_lock_that_is_a_link_or_a_pipe(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(outside)
    with pytest.raises(OutputError, match="no plain file"), only_run(tmp_path / "run"):
        pass
    assert outside.read_text() == "mine"
    (tmp_path / "run" / ".lock").unlink()
    os.mkfifo(tmp_path / "run" / ".lock")
    with pytest.raises(OutputError, match="no plain file"), only_run(tmp_path / "run"):
        pass
