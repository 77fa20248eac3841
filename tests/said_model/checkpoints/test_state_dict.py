"""Weights of any kind: one reader, one checker, one error type for a hostile file."""

import os
import pickle

import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("safetensors", reason="pip install 'blendvoca[said]' to run this test")

from blendvoca.errors import FormatError, MissingInputError, UnsafePickleError  # noqa: E402
from said_model.checkpoints.authors import network_of  # noqa: E402
from said_model.checkpoints.state_dict import fill, read_weights, write_weights  # noqa: E402
from said_model.evaluation.syncnet import load_syncnet  # noqa: E402
from said_model.evaluation.vae import load_vae  # noqa: E402

READERS = {"authors": lambda path: network_of(read_weights(path)), "syncnet": load_syncnet, "vae": load_vae}


class Trap:
    def __reduce__(self):
        return os.system, ("touch trapped",)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("container", ["pickle", "torch"])
def test_every_reader_refuses_code_in_the_same_way(tmp_path, monkeypatch, reader, container):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pth"
    if container == "pickle":
        path.write_bytes(pickle.dumps({"a": Trap()}))
    else:
        torch.save({"a": Trap()}, path)
    with pytest.raises(UnsafePickleError, match="plain tensors") as caught:
        READERS[reader](path)
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_names_what_is_missing_left_over_or_no_file(tmp_path, reader):
    with pytest.raises(MissingInputError, match="no weights here"):
        READERS[reader](tmp_path / "none.pth")
    torch.save({"layer": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(FormatError):
        READERS[reader](tmp_path / "other.pth")
    torch.save({"layer": 3}, tmp_path / "numbers.pth")
    with pytest.raises(FormatError, match="not a state dict"):
        READERS[reader](tmp_path / "numbers.pth")


@pytest.mark.parametrize("wrapped", [lambda s: s, lambda s: {"state_dict": s}, lambda s: {"model": s, "epoch": 3},
                                     lambda s: {f"module.{k}": v for k, v in s.items()}])  # fmt: skip
def test_wrappings_are_taken_off(tmp_path, wrapped):
    state = {"a": torch.arange(3.0)}
    torch.save(wrapped(state), tmp_path / "w.pth")
    assert read_weights(tmp_path / "w.pth")["a"].tolist() == [0, 1, 2]


def test_safetensors_come_back_and_fill_a_module(tmp_path):
    one, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    write_weights(tmp_path / "w.safetensors", one.state_dict())
    fill(other.state_dict(), read_weights(tmp_path / "w.safetensors"), "a layer")
    assert torch.equal(one.weight, other.weight)
    with pytest.raises(FormatError, match=r"2 parameters are missing; expected the 4 parameters of two layers"):
        fill(torch.nn.Sequential(one, other).state_dict(), {"0.weight": one.weight, "0.bias": one.bias}, "two layers")
    with pytest.raises(FormatError, match=r"another shape.*weight \(3, 2\) instead of \(2, 3\)"):
        fill(one.state_dict(), {"weight": torch.zeros(3, 2), "bias": torch.zeros(2)}, "a layer")
