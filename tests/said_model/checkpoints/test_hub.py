"""Weights from the Hugging Face hub, played by a folder: nothing here touches a network."""

import hashlib
import shutil

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
hub = pytest.importorskip("huggingface_hub", reason="pip install 'blendvoca[said]' to run this test")

from blendvoca.errors import DownloadError, FormatError, IntegrityError, UnsafePickleError  # noqa: E402
from blendvoca.io.sound.wav import write_wav  # noqa: E402
from blendvoca.io.track.csv import read_track  # noqa: E402
from said_model.checkpoints import authors  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.checkpoints import hub as published  # noqa: E402
from said_model.checkpoints.state_dict import read_weights  # noqa: E402
from said_model.cli import main  # noqa: E402
from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig, SamplerConfig  # noqa: E402
from said_model.model import SAiD  # noqa: E402

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

    def listed(repo_id, revision=None):
        assert repo_id == "yunik1004/SAiD"
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def download(repo_id, filename, revision=None):
        target = tmp_path / "cache" / filename
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / filename, target)
        return str(target)

    def nothing_cached(*_args, local_files_only, **_kwargs):
        assert local_files_only
        raise FileNotFoundError("nothing was downloaded before")

    monkeypatch.setattr(hub, "snapshot_download", nothing_cached)
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
    assert published.weights_among(["vae.pth", "old/SAiD.pth"]) == "old/SAiD.pth"
    assert published.weights_among(["vae.pth", "weights/epoch_50000.pth"]) == "weights/epoch_50000.pth"
    assert published.weights_among(["b.pth", "a.pth"]) == "a.pth"


def test_what_cannot_be_fetched(repository, authors_state, monkeypatch):
    class Trap:
        def __reduce__(self):
            return print, ("trapped",)

    (repository / "README.md").write_text("nothing else")
    with pytest.raises(DownloadError, match="holds no weights"):
        published.fetch()
    torch.save({"weights": Trap()}, repository / "SAiD.pth")
    with pytest.raises(UnsafePickleError):
        read_weights(published.fetch())
    torch.save({key: value for key, value in authors_state.items() if "middle_block" not in key},
               repository / "SAiD.pth")  # fmt: skip
    with pytest.raises(FormatError, match="parameters are missing"):
        authors.network_of(read_weights(published.fetch()))

    def offline(*_args, **_kwargs):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "list_repo_files", offline)
    monkeypatch.setattr(hub, "hf_hub_download", offline)
    with pytest.raises(DownloadError, match=r"no route to host.*import-weights FILE\.pth"):
        published.fetch()
    answer = CliRunner().invoke(main, ["sample", "a.wav", "--pretrained", "yunik1004/SAiD", "--out", "a.csv"])
    assert answer.exit_code == 1
    assert "cannot fetch yunik1004/SAiD" in answer.output


def cached(cache, files, commit="b" * 40, repository="yunik1004/SAiD"):
    """Lay files into a cache as the hub's client does: blobs by their SHA-256, links from the commit's snapshot."""
    home = cache / ("models--" + repository.replace("/", "--"))
    snapshot = home / "snapshots" / commit
    for folder in (home / "blobs", home / "refs", snapshot):
        folder.mkdir(parents=True, exist_ok=True)
    (home / "refs" / "main").write_text(commit)
    for name, content in files.items():
        blob = home / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).symlink_to(blob)
    return snapshot


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache of the hub's own client, which must not ask its server."""

    def asked(*_args, **_kwargs):
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(hub, "list_repo_files", asked)
    monkeypatch.setattr(hub, "hf_hub_download", asked)
    whole = hub.snapshot_download
    place = {"cache_dir": tmp_path / "cache"}
    monkeypatch.setattr(hub, "snapshot_download", lambda *args, **more: whole(*args, **place, **more))
    return tmp_path / "cache"


def test_what_was_downloaded_before_is_used_without_asking_the_hub(offline, authors_state, tmp_path, babble):
    torch.save(authors_state, tmp_path / "SAiD.pth")
    snapshot = cached(offline, {"SAiD.pth": (tmp_path / "SAiD.pth").read_bytes(), "vae.pth": b"x"})
    assert published.fetch() == snapshot / "SAiD.pth"
    assert published.fetch("yunik1004/SAiD@main") == published.fetch(revision="b" * 40) == snapshot / "SAiD.pth"
    assert published.commit_of(snapshot / "SAiD.pth") == "b" * 40
    said = SAiD.from_pretrained("yunik1004/SAiD", device="cpu")
    assert said.sampler.name == "said-ddim"
    with pytest.raises(DownloadError, match="the hub was asked"):
        published.fetch(revision="c" * 40)
    (snapshot / "SAiD.pth").resolve().write_bytes(b"another")
    with pytest.raises(IntegrityError, match="has changed"):
        published.fetch()


def test_a_vae_alone_is_no_model(offline):
    cached(offline, {"vae.pth": b"x"})
    with pytest.raises(DownloadError, match="the hub was asked"):
        published.fetch()


def test_a_checkpoint_of_ours_is_published_too(offline, tiny_network, tmp_path):
    sampler = SamplerConfig("dpm", 3, 1.0)
    checkpoint.save(tmp_path / "run", tiny_network, sampler=sampler)
    files = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    cached(offline, files, repository="someone/faces")
    for name in ("someone/faces", tmp_path / "run"):
        said = SAiD.from_pretrained(name, device="cpu")
        assert said.sampler == sampler
        assert said.config == tiny_network.config


def test_without_a_name_the_demo_model_is_loaded():
    assert SAiD.load(device="cpu").config == checkpoint.read_config(checkpoint.DEMO)
