"""Checkpoints, the authors' files, and files that are neither."""

import json
import pickle

import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("safetensors", reason="pip install 'blendvoca[said]' to run this test")

from reference.said_tiny import tiny_config  # noqa: E402

from blendvoca.errors import (  # noqa: E402
    ConfigurationError,
    DownloadError,
    FormatError,
    MissingDependencyError,
    MissingInputError,
    UnsafePickleError,
    VersionError,
)
from said_model.audio_encoder.pretrained import build_pretrained, load_pretrained  # noqa: E402
from said_model.checkpoints import authors  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.checkpoints.state_dict import read_weights  # noqa: E402
from said_model.config import EncoderConfig, ModelConfig  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402


@pytest.fixture
def saved(tiny_network, tmp_path):
    checkpoint.save(tmp_path / "run", tiny_network)
    return tmp_path / "run"


def test_round_trip(tiny_network, saved):
    loaded = checkpoint.load(saved)
    assert loaded.config == tiny_network.config
    assert not loaded.training
    state = loaded.state_dict()
    assert state.keys() == tiny_network.state_dict().keys()
    assert all(torch.equal(state[key], value) for key, value in tiny_network.state_dict().items())
    assert sorted(p.name for p in saved.iterdir()) == ["config.json", "model.safetensors"]


def test_no_checkpoint(saved, tmp_path):
    with pytest.raises(MissingInputError, match="said train"):
        checkpoint.load(tmp_path / "nowhere")
    (saved / "model.safetensors").unlink()
    with pytest.raises(MissingInputError, match="no weights"):
        checkpoint.load(saved)


def test_weights_of_another_architecture(saved):
    record = json.loads((saved / "config.json").read_text())
    record["model"]["denoiser"]["width"] = 64
    (saved / "config.json").write_text(json.dumps(record))
    with pytest.raises(FormatError, match=r"another architecture.*another shape"):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    ("change", "error"),
    [({"format": "a picture"}, FormatError), ({"version": 99}, VersionError), ({"model": {"fsp": 60}}, FormatError),
     ({"model": 3}, FormatError)],
)  # fmt: skip
def test_configurations_that_are_none(saved, change, error):
    record = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(record | change))
    with pytest.raises(error):
        checkpoint.load(saved)


def test_files_that_are_none(saved):
    (saved / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(FormatError, match="safetensors"):
        checkpoint.load(saved)
    (saved / "config.json").write_bytes(b"\xff\xfe nonsense")
    with pytest.raises(FormatError):
        checkpoint.load(saved)


class Trap:
    def __reduce__(self):
        import os

        return os.system, ("touch trapped",)


@pytest.mark.parametrize("container", ["pickle", "torch"])
def test_a_pickle_with_code_is_not_run(tmp_path, monkeypatch, container):
    monkeypatch.chdir(tmp_path)
    if container == "pickle":
        (tmp_path / "SAiD.pth").write_bytes(pickle.dumps({"weights": Trap()}))
    else:
        torch.save({"weights": Trap()}, tmp_path / "SAiD.pth")
    with pytest.raises(UnsafePickleError) as caught:
        read_weights(tmp_path / "SAiD.pth")
    # Torch's own message says how to load it all the same; ours must not.
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "trapped").exists()


def test_authors_files_that_are_none(tmp_path):
    path = tmp_path / "SAiD.pth"
    with pytest.raises(MissingInputError):
        read_weights(path)
    path.write_bytes(b"")
    with pytest.raises(FormatError):
        read_weights(path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(FormatError, match="not a state dict"):
        read_weights(path)
    torch.save({"layer.weight": torch.zeros(3)}, path)
    with pytest.raises(FormatError, match="not the weights of SAiD"):
        authors.network_of(read_weights(path), path=path)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_encoder_sizes_are_read_off_the_shapes(prefix, tmp_path):
    pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
    small = {"model_type": "wav2vec2", "hidden_size": 64, "num_attention_heads": 1, "num_hidden_layers": 2,
             "intermediate_size": 96, "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16,
             "num_conv_pos_embedding_groups": 4}  # fmt: skip
    base = tiny_config(feature_dim=64)
    config = ModelConfig(encoder=EncoderConfig("x", small, True), denoiser=base.denoiser)
    network = checkpoint.build(config)
    torch.save({prefix + key: value for key, value in network.state_dict().items()}, tmp_path / "SAiD.pth")
    state = read_weights(tmp_path / "SAiD.pth")
    # The number of the denoiser's heads is not in the shapes: the published six do not divide a width of 32.
    assert authors.encoder_settings(state).items() >= {k: v for k, v in small.items() if k != "model_type"}.items()
    rebuilt = checkpoint.build(ModelConfig(encoder=EncoderConfig("x", authors.encoder_settings(state), True),
                                           denoiser=base.denoiser))  # fmt: skip
    checkpoint.fill_network(rebuilt, state)
    sound = torch.randn(1, 6000)
    with torch.no_grad():
        assert torch.equal(rebuilt.encode(sound, 22), network.eval().encode(sound, 22)) or rebuilt.training


@pytest.mark.parametrize("family", ["wav2vec2", "hubert", "wavlm"])
def test_encoders_of_the_family_run(family):
    pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
    small = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 32,
             "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}  # fmt: skip
    encoder = build_pretrained(EncoderConfig(family, {"model_type": family, **small}, True))
    with torch.no_grad():
        assert encoder(torch.randn(2, 8000), 30).shape == (2, 30, 32)
        assert encoder(torch.randn(1, 20), 1).shape == (1, 1, 32)


def test_encoders_that_cannot_be(tmp_path, monkeypatch):
    pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigurationError, match="wav2vec2"):
        build_pretrained(EncoderConfig("bert", {"model_type": "bert"}))
    with pytest.raises(DownloadError, match="log-mel"):
        load_pretrained(str(tmp_path / "no-such-model"))
    with pytest.raises(ConfigurationError, match="does not fit"):
        checkpoint.build(ModelConfig(encoder=EncoderConfig()))


def test_a_missing_extra_is_named(monkeypatch):
    import said_model.extras

    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="torch")

    monkeypatch.setattr(said_model.extras, "import_module", absent)
    for call in (lambda: said_model.SAiD, lambda: said_model.extras.require_package("torch", "sampling")):
        with pytest.raises(MissingDependencyError, match=r"blendvoca\[said\]"):
            call()


def test_an_encoder_in_a_folder_is_loaded_by_its_name(tmp_path):
    """What training does with a pretrained encoder: frozen, named, and not in the checkpoint."""
    transformers = pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
    small = transformers.HubertConfig(hidden_size=32, num_attention_heads=2, num_hidden_layers=1, intermediate_size=32,
                                      conv_dim=[16] * 7, num_conv_pos_embeddings=16,
                                      num_conv_pos_embedding_groups=4)  # fmt: skip
    transformers.HubertModel(small).save_pretrained(tmp_path / "hubert")
    encoder, config = load_pretrained(str(tmp_path / "hubert"))
    network = SaidNetwork(ModelConfig(encoder=config, denoiser=tiny_config(feature_dim=32).denoiser), encoder)
    checkpoint.save(tmp_path / "run", network)
    assert not any(key.startswith("audio_encoder.") for key in checkpoint.read_network_weights(tmp_path / "run"))
    loaded, sound = checkpoint.load(tmp_path / "run"), torch.randn(1, 6000)
    with torch.no_grad():
        assert torch.equal(loaded.encode(sound, 22), network.encode(sound, 22))
