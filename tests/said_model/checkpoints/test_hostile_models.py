"""Model folders that anybody may have made: sizes are refused before memory is taken, no hub is asked."""

import json
import zipfile

import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("safetensors", reason="pip install 'blendvoca[said]' to run this test")

from reference.said_tiny import tiny_config  # noqa: E402

from blendvoca.errors import BlendvocaError, ConfigurationError, DownloadError, FormatError, UnsafePickleError  # noqa: E402
from said_model.checkpoints import authors  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.checkpoints.state_dict import read_weights  # noqa: E402
from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig  # noqa: E402
from said_model.evaluation import sync_expert  # noqa: E402


@pytest.fixture
def saved(tiny_network, tmp_path):
    checkpoint.save(tmp_path / "run", tiny_network)
    return tmp_path / "run"


def change(folder, path, value):
    """Put a value at a place of a configuration, written by hand so that NaN and duplicates can be."""
    record = json.loads((folder / "config.json").read_text())
    *places, last = path.split(".")
    place = record
    for name in places:
        place = place[name]
    place[last] = value
    (folder / "config.json").write_text(json.dumps(record))


NUMBERS = ["model.fps", "model.denoiser.width", "model.denoiser.heads", "model.denoiser.feature_dim",
           "model.denoiser.dropout", "model.denoiser.alignment.bandwidth", "model.diffusion.train_steps",
           "model.diffusion.scale", "sampler.guidance_scale", "sampler.steps"]  # fmt: skip
SETTINGS = ["bands", "low", "high", "window", "hop", "reach", "orders", "stack"]


@pytest.mark.parametrize("path", [*NUMBERS, *(f"model.encoder.settings.{name}" for name in SETTINGS)])
@pytest.mark.parametrize("value", [10**9, -1, 10**400, "16", True, [1], {"a": 1}], ids=lambda value: str(value)[:9])
def test_every_number_has_a_range_and_a_type(saved, path, value):
    change(saved, path, value)
    read = checkpoint.read_sampler if path.startswith("sampler") else checkpoint.load
    with pytest.raises(FormatError, match=r"config\.json") as caught:
        read(saved)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("text", ["NaN", "1e400", "Infinity", '{"a": 1, "a": 2}', "[" * 5000 + "]" * 5000])
def test_json_that_is_none(saved, text):
    change(saved, "model.fps", "@")
    path = saved / "config.json"
    path.write_text(path.read_text().replace('"@"', text))
    with pytest.raises(FormatError, match=r"config\.json"):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    "names", ["abc", [], ["a", "a"], [1, 2], ["\ud800"], ["a\nb"], [str(n) for n in range(20_000)]]
)
def test_names_are_labels(saved, names):
    change(saved, "model.names", names)
    with pytest.raises(FormatError):
        checkpoint.load(saved)


def test_large_networks_are_refused_before_memory_is_taken():
    """Eight thousand channels are within their range; the network would have 30 GB."""
    tiny = tiny_config().to_dict()
    encoder = {"model_type": "wav2vec2", "hidden_size": 65_536, "num_hidden_layers": 20, "num_attention_heads": 16}
    for large in (
        ModelConfig.from_dict({**tiny, "denoiser": {**tiny["denoiser"], "width": 8192}}),
        ModelConfig(encoder=EncoderConfig("x", encoder, True), denoiser=DenoiserConfig(feature_dim=65_536)),
    ):
        with pytest.raises(ConfigurationError, match=r"too large; expected at most 16 GiB of weights, found .* GiB"):
            checkpoint.build(large)


@pytest.mark.parametrize(
    "settings",
    [{"hidden_size": 10**9}, {"num_hidden_layers": 10**9}, {"conv_dim": [1] * 10**5}, {"conv_dim": 3},
     {"conv_kernel": []}, {"num_attention_heads": 0}, {"hidden_size": "768"}, {"hidden_act": "no such"},
     {"layerdrop": float("nan")}],
    ids=str,
)  # fmt: skip
def test_settings_of_other_libraries(settings):
    pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
    config = ModelConfig(encoder=EncoderConfig("x", {"model_type": "wav2vec2", **settings}, True))
    with pytest.raises(BlendvocaError):
        checkpoint.build(config, random_encoder=True)


def test_a_checkpoint_asks_no_hub_by_itself(saved, monkeypatch):
    transformers = pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
    asked = []

    def from_pretrained(name, local_files_only=False, **_):
        asked.append(local_files_only)
        raise OSError("not here")

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", from_pretrained)
    settings = {"model_type": "wav2vec2", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                "intermediate_size": 32, "num_conv_pos_embedding_groups": 2}  # fmt: skip
    config = ModelConfig.from_dict(
        {**tiny_config().to_dict(), "encoder": {"name": "someone/else", "settings": settings, "stored": False}}
        | {"denoiser": {**tiny_config().to_dict()["denoiser"], "feature_dim": 32}}
    )
    checkpoint.save(saved, checkpoint.build(config, random_encoder=True))
    with pytest.raises(DownloadError, match="hf download someone/else"):
        checkpoint.load(saved)
    assert asked == [True]


def test_weights_that_unpack_to_more_than_they_are(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, bytes(100 << 20) if name.endswith("data/0") else content)
    with pytest.raises(FormatError, match="unpacks to is too large"):
        read_weights(tmp_path / "bomb.pth")


@pytest.mark.parametrize("shape", [(10**9, 32, 3), (64, 32), (), (0, 32, 3)])
def test_state_dicts_of_absurd_shapes(shape):
    state = {"denoiser.model.input_blocks.0.0.weight": torch.empty(1).as_strided(shape, [0] * len(shape)),
             "null_cond_emb": torch.zeros(1, 1, 768)}  # fmt: skip
    with pytest.raises(FormatError):
        authors.network_of(state, {"model_type": "wav2vec2"})


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"format": 3, "model": {}}', '{"format": "said-sync", "model": {"width": 1e9}}',
     '{"format": "said-sync", "model": {"names": "ab", "fps": 60, "feature_dim": 4}}'],
)  # fmt: skip
def test_small_models(tmp_path, text):
    sync_expert.save_sync(tmp_path, sync_expert.SyncExpert(sync_expert.SyncConfig(("a", "b"), 60.0, 4, width=8)), {})
    (tmp_path / "sync.json").write_text(text)
    with pytest.raises(FormatError, match="sync expert"):
        sync_expert.load_sync(tmp_path)


def test_code_in_a_state(tmp_path):
    import pickle

    (tmp_path / "a.pth").write_bytes(pickle.dumps({"a": print}, 2))
    with pytest.raises(UnsafePickleError):
        read_weights(tmp_path / "a.pth")
