"""The command line, run in process with a tiny checkpoint."""

import io
import json

import numpy as np
import pytest
import shard_builders
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")

from blendvoca.dataset import BlendVOCA  # noqa: E402
from blendvoca.export.convert import load_track  # noqa: E402
from blendvoca.io.rig.gltf_write import write_glb  # noqa: E402
from blendvoca.io.sound.wav import write_wav  # noqa: E402
from blendvoca.io.track.csv import read_track  # noqa: E402
from blendvoca.speakers import VOCASET_SPLIT  # noqa: E402
from blendvoca.synthetic.head import SyntheticHead  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.cli import COMMANDS, main  # noqa: E402
from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig, SamplerConfig  # noqa: E402
from said_model.evaluation.outputs import read_outputs  # noqa: E402
from said_model.model import SAiD  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402
from said_model.synthesis.idle import with_idle  # noqa: E402
from said_model.synthesis.sources import own_noise  # noqa: E402


@pytest.fixture
def place(tiny_network, babble, tmp_path):
    checkpoint.save(tmp_path / "run", tiny_network, {"steps": 12})
    write_wav(tmp_path / "speech.wav", babble)
    return tmp_path


def said(*arguments, stdin=None):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)


def test_every_command_has_help():
    assert all(command in said("--help").output for command in COMMANDS)
    for command in ("sample", "edit", "stream", "import-weights", "info"):
        assert said(command, "--help").exit_code == 0


def test_sample(place):
    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    found = said("sample", place / "speech.wav", "--out", place / "speech.csv", *model)
    assert found.exit_code == 0, found.output
    assert "log-mel (embedded" in found.output
    assert "x real time" in found.output
    one = read_track(place / "speech.csv")
    assert said("sample", place, "--samples", 2, "--out", place / "many", *model).exit_code == 0
    assert sorted(p.name for p in (place / "many").iterdir()) == ["speech_0.csv", "speech_1.csv"]
    assert np.allclose(read_track(place / "many" / "speech_0.csv").values, one.values, atol=1e-4)
    refused = said("sample", place / "speech.wav", "--samples", 2, "--out", place / "x.csv", *model)
    assert refused.exit_code == 1
    assert "expected a folder" in refused.output


def test_a_batch_goes_on_past_a_bad_file_and_never_writes_over_another(place, babble):
    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    (place / "bad.wav").write_text("no sound")
    found = said("sample", place, "--out", place / "some", *model)
    assert found.exit_code == 1
    assert "bad.wav: not a sound file" in found.output
    assert "1 of 2 files could not be used" in found.output
    assert [p.name for p in (place / "some").iterdir()] == ["speech.csv"]
    (place / "more").mkdir()
    empty = said("sample", place / "more", "--out", place / "none", *model)
    assert empty.exit_code == 1
    assert "no sound files here" in empty.output
    write_wav(place / "more" / "speech.wav", babble)
    write_wav(place / "more" / "deep" / "speech.wav", babble)
    twice = said("sample", place / "speech.wav", place / "more", "--out", place / "both", *model)
    assert twice.exit_code == 0, twice.output
    names = sorted(p.relative_to(place / "both").as_posix() for p in (place / "both").rglob("*.csv"))
    assert names == ["deep/speech.csv", "speech-wav-2.csv", "speech-wav.csv"]
    assert "another file is called speech too" in twice.output


@pytest.mark.parametrize("name", ["talk.glb", "talk.json", "livelink.csv", "a-livelink.csv", "talk.html", "talk.usda"])
def test_from_sound_to_other_programs(place, name):
    if name.endswith(".usda"):
        pytest.importorskip("pxr", reason="pip install 'blendvoca[usd]' to run this test")
    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    found = said("sample", place / "speech.wav", "--out", place / name, *model)
    assert found.exit_code == 0, found.output
    said("sample", place / "speech.wav", "--out", place / "plain.csv", *model)
    plain = read_track(place / "plain.csv")
    assert ("shown on the sample head" in found.output) == (name.endswith((".glb", ".html", ".usda")))
    if name.endswith(".html"):
        assert "media-src blob:" in (place / name).read_text()
    elif name.endswith(".usda"):
        assert "jawOpen" in (place / name).read_text()
    else:
        back = load_track(place / name)
        shared = [column for column in plain.names if column in back.names]
        assert len(shared) == len(plain.names)
        assert np.allclose(back.select(shared).values, plain.select(shared).values, atol=1e-4)
        assert ("Timecode" in (place / name).read_bytes().decode("latin1")) == ("livelink" in name)


def test_a_rig_of_the_users_own_talks(place):
    head = SyntheticHead().rig()
    write_glb(place / "mine.glb", head.select(head.names[:40]))
    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    found = said("sample", place / "speech.wav", "--rig", place / "mine.glb", "--out", place / "talk.glb", *model)
    assert found.exit_code == 0, found.output
    assert len(load_track(place / "talk.glb")) == 180
    assert "sample head" not in found.output


@pytest.mark.slow
def test_a_video_has_its_sound(place):
    av = pytest.importorskip("av", reason="pip install 'blendvoca[view]' to run this test")
    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    found = said("sample", place / "speech.wav", "--out", place / "talk.mp4", *model)
    assert found.exit_code == 0, found.output
    with av.open(str(place / "talk.mp4")) as film:
        assert film.streams.video[0].frames == 180
        assert len(film.streams.audio) == 1


def test_outputs_of_unknown_kinds_are_refused_before_anything_is_loaded(place):
    for more, text in (
        (("--out", "talk.gbl"), "did you mean '.glb'"), (("--out", "x", "--to", "glib"), "did you mean 'glb'"),
        (("--out", "talk.csv", "--to", "glb"), "expected .glb"), (("--out", "x", "--split", "test"), "--data SHARDS"),
        (("--out", "x", "--data", place), "one of them"), (("--out", "x", "--samples", 0), "nothing to draw"),
    ):  # fmt: skip
        refused = said("sample", place / "speech.wav", "--model", place / "nowhere", *more)
        assert refused.exit_code == 1
        assert text in refused.output
    assert "one of them" in said("sample", "--out", "x").output


def test_a_split_is_sampled_as_it_is_evaluated(place):
    small_shards = place / "shards"
    small_shards.mkdir()
    shard_builders.dataset(small_shards, frames=60)
    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    found = said("sample", "--data", small_shards, "--split", "test", "--samples", 2, "--seed", 5,
                 "--blinks", "--out", place / "tracks", *model)  # fmt: skip
    assert found.exit_code == 0, found.output
    truth = BlendVOCA(small_shards, "test")
    outputs = read_outputs(place / "tracks", truth)
    assert set(outputs.tracks) == set(truth.keys())
    assert not outputs.missing
    for clip in truth:
        tracks = outputs.tracks[clip.speaker, clip.sentence]
        assert len(tracks) == 2
        assert [len(track) for track in tracks] == [len(clip.track)] * 2
        seed = 6 + own_noise(f"{clip.speaker}/{clip.sentence}")
        own = SAiD.load(place / "run", "cpu").sample(clip.waveform, seed, SamplerConfig("said-ddim", 2))
        assert np.allclose(tracks[1].values, own.values, atol=1e-3)
        # Blinks and gaze are the clip's own too.
        written = read_track(place / "tracks" / clip.speaker / f"{clip.sentence}_6.csv")
        assert np.allclose(written.values, with_idle(own, seed)[0].values, atol=1e-3)


def test_edit(place):
    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    track, audio = place / "track.csv", place / "speech.wav"
    said("sample", audio, "--out", track, *model)
    found = said("edit", track, "--audio", audio, "--keep", "0:1.2", "--keep", "2.5:", "--pin", "jawOpen",
                 "--redo", "mouth*", "--redo", "jaw*", "--variants", 2,
                 "--out", place / "variants", *model)  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "borders" in found.output
    before, after = read_track(track), read_track(place / "variants" / "track_1.csv")
    changed = np.argwhere(before.values != after.values)
    assert set(changed[:, 0]) <= set(range(72, 150))
    names = {before.names[column] for column in changed[:, 1]}
    assert names
    assert all(name.startswith(("mouth", "jaw")) and name != "jawOpen" for name in names)
    mask = np.ones(before.values.shape)
    mask[10:20] = 0
    header = ",".join(before.names)
    np.savetxt(place / "mask.csv", mask, delimiter=",", header=header, comments="", fmt="%d")
    found = said("edit", track, "--audio", audio, "--mask", place / "mask.csv", "--out", place / "e.csv", *model)
    assert found.exit_code == 0, found.output
    changed = np.argwhere(before.values != read_track(place / "e.csv").values)
    assert set(changed[:, 0]) == set(range(10, 20))


def test_the_sampler_is_the_checkpoints_and_the_preset_takes_no_contradiction(place):
    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    sample = ("sample", place / "speech.wav", "--out", place / "o.csv", *model)
    assert "sampler: said-ddim, 2 steps, guidance 2\n" in said(*sample).output
    assert "sampler: dpm, 2 steps, guidance 1.5\n" in said(*sample, "--sampler", "dpm", "--guidance", 1.5).output
    own = checkpoint.load(place / "run")
    checkpoint.save(place / "run", own, sampler=SamplerConfig("dpm", 3, 1.0))
    assert "sampler: dpm, 2 steps, guidance 1\n" in said(*sample).output
    low = said(*sample, "--preset", "paper", "--guidance", 0.5)
    assert "sampler: said-ddim, 2 steps, guidance 0.5 counts as none (--preset paper)\n" in low.output
    edit = ("edit", place / "o.csv", "--audio", place / "speech.wav", "--keep", "0:1", "--out", place / "e.csv", *model)
    assert said(*edit, "--preset", "paper").exit_code == 0
    for more, text in (
        (("--sampler", "dpm"), "--sampler dpm"), (("--window", 60), "--window 60"), (("--overlap", 9), "--overlap 9")
    ):  # fmt: skip
        for command in (sample, edit):
            refused = said(*command, "--preset", "paper", *more)
            assert refused.exit_code == 1
            assert "contradicts --preset paper" in refused.output and text in refused.output
    assert "from 1 to" in said(*sample[:-1], 0).output


@pytest.mark.parametrize("encoding", ["s16le", "f32le"])
def test_stream(place, babble, encoding):
    sound = babble.samples.astype("<f4").tobytes() if encoding == "f32le" else babble.to_int16().astype("<i2").tobytes()
    found = CliRunner().invoke(main, ["stream", "--model", str(place / "run"), "--format", encoding, "--steps", "2",
                                      "--device", "cpu"], input=sound + b"\x01")  # fmt: skip
    assert found.exit_code == 0, found.output
    table = np.loadtxt(io.StringIO(found.stdout), delimiter=",", skiprows=1)
    assert table.shape == (180, 32)
    assert found.stdout.startswith("jawForward,")


def test_import_weights_and_info(conformance, place):
    from reference.said_weights import reference_state

    shapes = json.loads((conformance / "said_keys_tiny.json").read_text())
    torch.save(reference_state(shapes), place / "SAiD.pth")
    found = said("import-weights", place / "SAiD.pth", "--out", place / "authors",
                 "--encoder-config", conformance / "wav2vec2_tiny_config.json")  # fmt: skip
    assert found.exit_code == 0, found.output
    loaded = checkpoint.load(place / "authors").state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in reference_state(shapes).items())
    found = said("info", place / "authors")
    assert found.exit_code == 0
    assert "width 192, 6 heads, 48-wide" in found.output
    assert "imported_from" in found.output
    # Weights that predict noise are drawn from as their authors do (supplement 12), not in this program's ten steps.
    drawing = json.loads((place / "authors" / "config.json").read_text())["sampler"]
    assert drawing == {"name": "said-ddim", "steps": None, "guidance_scale": 2.0}
    assert checkpoint.read_sampler(place / "authors").step_count == 1000


def test_import_weights_of_other_blendshapes(conformance, place):
    """A state dict of 20 channels and 64 wide: names are given, heads stay 32 wide."""
    encoder = EncoderConfig("tiny", json.loads((conformance / "wav2vec2_tiny_config.json").read_text()))
    names = tuple(f"shape{number}" for number in range(20))
    wide = SaidNetwork(ModelConfig(names, encoder=encoder, denoiser=DenoiserConfig(64, 2, 48)))
    torch.save(wide.state_dict(), place / "other.pth")
    arguments = ("import-weights", place / "other.pth", "--out", place / "other",
                 "--encoder-config", conformance / "wav2vec2_tiny_config.json")  # fmt: skip
    found = said(*arguments)
    assert found.exit_code == 1 and "--names" in found.output
    (place / "names.txt").write_text("\n".join(wide.config.names) + "\n")
    found = said(*arguments, "--names", place / "names.txt")
    assert found.exit_code == 0, found.output
    loaded = checkpoint.load(place / "other")
    assert loaded.config.names == wide.config.names and loaded.config.denoiser.heads == 2
    (place / "names.txt").write_text("jawOpen\njawOpen\n")
    assert "jawOpen" in said(*arguments, "--names", place / "names.txt").output


def test_errors_are_one_line(place):
    for arguments, text in (
        (("sample", place / "no.wav", "--model", place / "run", "--out", place / "o.csv"), "no.wav"),
        (("sample", place / "speech.wav", "--model", place, "--out", place / "o.csv"), "no checkpoint here"),
        (("import-weights", "--out", place / "x"), "which weights?"),
        (("info", place), "no checkpoint here"),
    ):
        found = said(*arguments)
        assert found.exit_code == 1
        assert text in found.output
        assert found.output.splitlines()[-1].startswith("Error: ")


def test_blinks_leave_the_lips_alone(place):
    from blendvoca.arkit import BLENDVOCA_NAMES

    model = ("--model", place / "run", "--device", "cpu", "--steps", 2)
    assert said("sample", place / "speech.wav", "--out", place / "plain.csv", *model).exit_code == 0
    found = said("sample", place / "speech.wav", "--out", place / "blinks.csv", "--blinks", *model)
    assert found.exit_code == 0, found.output
    assert "no motion of the head" in found.output
    plain, blinks = read_track(place / "plain.csv"), read_track(place / "blinks.csv")
    np.testing.assert_array_equal(blinks.select(list(BLENDVOCA_NAMES)).values, plain.values)
    assert blinks.select(["eyeBlinkLeft"]).values.max() > 0.5
    # Live Link holds the head too.
    assert said("sample", place / "speech.wav", "--out", place / "livelink.csv", "--blinks", *model).exit_code == 0
    header, *rows = (place / "livelink.csv").read_text().splitlines()
    place_of_yaw = header.split(",").index("HeadYaw")
    assert len({row.split(",")[place_of_yaw] for row in rows}) > 100


def test_a_vrm_animation_from_sound(place):
    found = said("sample", place / "speech.wav", "--out", place / "talk.vrma", "--blinks", "--model", place / "run",
                 "--device", "cpu", "--steps", 2)  # fmt: skip
    assert found.exit_code == 0, found.output
    content = (place / "talk.vrma").read_bytes()
    document = json.loads(content[20 : 20 + int.from_bytes(content[12:16], "little")])
    assert "aa" in document["extensions"]["VRMC_vrm_animation"]["expressions"]["preset"]
    assert "lookAt" in document["extensions"]["VRMC_vrm_animation"]


def test_stream_to_a_receiver(place):
    """Frames reach a receiver in order, whatever the machine does, and the table beside it has the same ones."""
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(1)
        to = f"livelink://127.0.0.1:{server.getsockname()[1]}"
        found = said("stream", place / "speech.wav", "--to", to, "--to", place / "live.csv", "--model", place / "run",
                     "--device", "cpu", "--steps", 2, "--blinks", "--delay", 1.5)  # fmt: skip
        assert found.exit_code == 0, found.output
        assert "frames go out 1.50 s after their sound" in found.output
        frames = []
        while True:
            try:
                frames.append(struct.unpack_from(">i", server.recv(4096), 1 + 4 + 36 + 4 + len("said"))[0])
            except TimeoutError:
                break
    assert frames == sorted(set(frames))
    assert len(frames) > 20
    table = np.loadtxt(place / "live.csv", delimiter=",", skiprows=1)
    # The system keeps 200 packets or so that nobody has read yet.
    assert table.shape[1] == 42
    assert len(table) >= len(frames)


def test_streams_to_wrong_places_are_refused_before_a_model_is_loaded(place):
    for more, text in (
        (("--to", "livelnk://x:1"), "did you mean 'livelink'"), (("--to", "talk.glb"), "frames go nowhere"),
        ((place / "speech.wav", "--mic"), "which sound"), (("--mic-device", "3"), "which sound"),
    ):  # fmt: skip
        refused = said("stream", "--model", place / "nowhere", *more)
        assert refused.exit_code == 1
        assert text in refused.output


def test_clips_of_a_set_do_not_share_noise():
    names = [f"{speaker}/sentence{number:02}" for speaker in VOCASET_SPLIT["test"] for number in range(1, 41)]
    starts = {seed + own_noise(name) for name in names for seed in range(1000)}
    assert len(starts) == 1000 * len(names)
    assert max(starts) < 2**63
