"""Weights from the Hugging Face hub, played by a folder: nothing here touches a network."""

import shutil

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
hub = pytest.importorskip("huggingface_hub", reason="pip install 'blendvoca[said]' to run this test")

from blendvoca.errors import DownloadError, FormatError, UnsafePickleError  # noqa: E402
from blendvoca.io.track.csv import read_track  # noqa: E402
from blendvoca.io.wav import write_wav  # noqa: E402
from said_model.checkpoints import authors  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.checkpoints.state_dict import read_weights  # noqa: E402
from said_model.cli import main  # noqa: E402
from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig  # noqa: E402

NEW, OLD = "parametrizations.weight.original", ("weight_g", "weight_v")


@pytest.fixture(scope="module")
def authors_state():
    """A state dict as the authors save it, small: whole model, encoder included."""
    small = {"model_type": "wav2vec2", "hidden_size": 64, "num_attention_heads": 1, "num_hidden_layers": 1,
             "intermediate_size": 64, "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16,
             "num_conv_pos_embedding_groups": 4}  # fmt: skip
    torch.manual_seed(0)
    network = checkpoint.build(
        ModelConfig(encoder=EncoderConfig("x", small, True), denoiser=DenoiserConfig(width=96, feature_dim=64))
    )
    return {key: value.clone() for key, value in network.state_dict().items()}


@pytest.fixture
def repository(monkeypatch, tmp_path):
    """A folder that the hub's client lists and downloads from."""
    folder = tmp_path / "hub"
    folder.mkdir()

    def listed(repo_id):
        assert repo_id == "yunik1004/SAiD"
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def download(repo_id, filename):
        target = tmp_path / "cache" / filename
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / filename, target)
        return str(target)

    monkeypatch.setattr(hub, "list_repo_files", listed)
    monkeypatch.setattr(hub, "hf_hub_download", download)
    return folder


def fill(folder, state):
    torch.save(state, folder / "SAiD.pth")
    torch.save({"layer": torch.zeros(1)}, folder / "vae.pth")
    (folder / "README.md").write_text("weights")


@pytest.mark.parametrize("spelling", ["old", "new"])
def test_pretrained_samples_and_imports(repository, authors_state, spelling, tmp_path, babble):
    state = {}
    for key, value in authors_state.items():
        place = key.removesuffix("0").removesuffix("1")
        if spelling == "old" and place.endswith(NEW):
            key = place.removesuffix(NEW) + OLD[int(key[-1])]
        state[key] = value
    assert any(key.endswith("weight_g") for key in state) == (spelling == "old")
    fill(repository, state)
    write_wav(tmp_path / "a.wav", babble)
    few = ["--steps", "2", "--device", "cpu"]

    def run(*arguments):
        answer = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert answer.exit_code == 0, answer.output
        return answer.output

    printed = run("sample", tmp_path / "a.wav", "--pretrained", "yunik1004/SAiD", "--out", tmp_path / "a.csv", *few)
    assert "facebook/wav2vec2-base-960h" in printed
    run("import-weights", "--pretrained", "yunik1004/SAiD", "--out", tmp_path / "run")
    run("sample", tmp_path / "a.wav", "--model", tmp_path / "run", "--out", tmp_path / "b.csv", *few)
    direct, imported = (read_track(tmp_path / name) for name in ("a.csv", "b.csv"))
    assert len(direct) == 180
    assert (direct.values == imported.values).all()


def test_the_file_that_is_chosen():
    assert authors._weights_among(["vae.pth", "old/SAiD.pth"]) == "old/SAiD.pth"
    assert authors._weights_among(["vae.pth", "weights/epoch_50000.pth"]) == "weights/epoch_50000.pth"
    assert authors._weights_among(["b.pth", "a.pth"]) == "a.pth"


def test_what_cannot_be_fetched(repository, authors_state, monkeypatch):
    class Trap:
        def __reduce__(self):
            return print, ("trapped",)

    (repository / "README.md").write_text("nothing else")
    with pytest.raises(DownloadError, match="holds no weights"):
        authors.fetch()
    torch.save({"weights": Trap()}, repository / "SAiD.pth")
    with pytest.raises(UnsafePickleError):
        read_weights(authors.fetch())
    torch.save({key: value for key, value in authors_state.items() if "middle_block" not in key},
               repository / "SAiD.pth")  # fmt: skip
    with pytest.raises(FormatError, match="parameters are missing"):
        authors.network_of(read_weights(authors.fetch()))

    def offline(*_args, **_kwargs):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "list_repo_files", offline)
    monkeypatch.setattr(hub, "hf_hub_download", offline)
    with pytest.raises(DownloadError, match=r"no route to host.*import-weights FILE\.pth"):
        authors.fetch()
    answer = CliRunner().invoke(main, ["sample", "a.wav", "--pretrained", "yunik1004/SAiD", "--out", "a.csv"])
    assert answer.exit_code == 1
    assert "cannot fetch yunik1004/SAiD" in answer.output


def test_without_a_network_what_was_downloaded_before_is_used(repository, authors_state, monkeypatch, tmp_path):
    fill(repository, authors_state)
    monkeypatch.setattr(hub, "list_repo_files", lambda *_: (_ for _ in ()).throw(ConnectionError("offline")))
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda *_: str(repository / "SAiD.pth"))
    assert authors.fetch() == repository / "SAiD.pth"
