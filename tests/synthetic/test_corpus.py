"""The sample has VOCASET's form, its truth is true, and the same seed gives the same bytes."""

from __future__ import annotations

import filecmp
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.cli.synth import synth
from blendvoca.errors import ConfigurationError, OutputError
from blendvoca.fit.fitter import FitSettings, fit
from blendvoca.fit.settings import DEFAULT_RATE_LIMIT
from blendvoca.io.mesh.ply import read_ply
from blendvoca.io.sound.wav import read_audio
from blendvoca.io.track.csv import read_track
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.sequence import MeshSequence
from blendvoca.speakers import check_split
from blendvoca.synthetic.corpus import MARKER, SampleConfig, write_sample
from blendvoca.synthetic.head import CanonicalHead
from blendvoca.synthetic.performance.motion import NOISE, RESIDUAL, residual

pytest.importorskip("espeakng_loader", reason="pip install 'blendvoca[demo]' brings the sample's voice")

CONFIG = SampleConfig(speakers=2, sentences=3, max_frames=42)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, canonical: CanonicalHead) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "VOCASET"
    assert write_sample(folder, CONFIG, canonical=canonical)
    return folder


def true_rig(sample: Path, speaker: str, region: str = "head") -> BlendshapeRig:
    with np.load(sample / "truth" / "rigs" / f"{speaker}.{region}.npz") as data:
        return BlendshapeRig(Mesh(data["vertices"], data["faces"]), data["deltas"], tuple(map(str, data["names"])))


def frames(sample: Path, speaker: str, sentence: str) -> list[Path]:
    return sorted((sample / "unposedcleaneddata" / speaker / sentence).iterdir())


def test_has_vocasets_form(sample: Path) -> None:
    assert (sample / "templates" / "speaker01.ply").read_bytes().startswith(b"ply\nformat ascii")
    names = [path.name for path in frames(sample, "speaker01", "sentence02")]
    assert names == [f"sentence02.{k:06d}.ply" for k in range(1, 43)]
    assert frames(sample, "speaker01", "sentence02")[0].read_bytes().startswith(b"ply\nformat binary_little_endian")
    sound = read_audio(sample / "audio" / "speaker01" / "sentence02.wav")
    assert (sound.rate, len(sound)) == (22_000, 15_400)
    assert (sample / "audio" / "speaker01" / "sentence02.wav").stat().st_size == 44 + 2 * 15_400


def test_known_gaps_have_sound_but_no_motion(sample: Path) -> None:
    gaps = json.loads((sample / MARKER).read_text())["known_gaps"]
    assert len(gaps) == 2
    for speaker, sentence in gaps:
        assert (sample / "audio" / speaker / f"{sentence}.wav").is_file()
        assert not (sample / "unposedcleaneddata" / speaker / sentence).exists()
        assert not (sample / "truth" / "tracks" / speaker / f"{sentence}.csv").exists()
    assert SampleConfig(speakers=1, sentences=1).known_gaps() == ()


def test_splits_name_every_speaker(sample: Path) -> None:
    split = json.loads((sample / "splits.json").read_text())
    assert set(check_split(split, ["speaker01", "speaker02"])) == {"speaker01", "speaker02"}


def test_landmarks_are_files_of_68_vertices(sample: Path) -> None:
    for region in ("head", "mask"):
        marks = np.loadtxt(sample / "landmarks" / f"{region}.txt", dtype=int)
        assert marks.shape == (68,)
        assert marks.max() < true_rig(sample, "speaker01", region).neutral.n_vertices


def test_frames_are_the_true_pose_but_for_residual_and_noise(sample: Path) -> None:
    rig = true_rig(sample, "speaker01")
    track = read_track(sample / "truth" / "tracks" / "speaker01" / "sentence01.csv")
    assert track.names == BLENDVOCA_NAMES
    assert len(track) == 42
    seen = np.array([read_ply(path).vertices for path in frames(sample, "speaker01", "sentence01")])
    rest = seen - rig.select(BLENDVOCA_NAMES).pose(track.values)
    assert np.linalg.norm(rest, axis=2).max() < RESIDUAL + 6 * NOISE
    assert NOISE < rest.std() < 2 * NOISE
    template = read_ply(sample / "templates" / "speaker01.ply")
    np.testing.assert_allclose(template.vertices, rig.neutral.vertices, atol=1e-8)
    assert (template.faces == rig.neutral.faces).all()


def test_tracks_respect_the_rate_limit(sample: Path) -> None:
    for path in (sample / "truth" / "tracks").rglob("*.csv"):
        track = read_track(path)
        assert track.max_step() <= DEFAULT_RATE_LIMIT
        assert track.values.max() > 0.05


def test_fitting_with_the_true_rig_recovers_the_true_tracks(sample: Path) -> None:
    """Issue 2: within 0.02 mean absolute error."""
    for speaker in ("speaker01", "speaker02"):
        rig = true_rig(sample, speaker).select(BLENDVOCA_NAMES)
        positions = np.array([read_ply(path).vertices for path in frames(sample, speaker, "sentence01")])
        truth = read_track(sample / "truth" / "tracks" / speaker / "sentence01.csv")
        found = fit(MeshSequence.from_array(positions, rig.neutral.faces, 60.0), rig, FitSettings()).track
        assert np.abs(found.values - truth.values).mean() < 0.02


def test_same_seed_same_bytes_other_seed_other_bytes(sample: Path, tmp_path: Path, canonical: CanonicalHead) -> None:
    write_sample(tmp_path / "again", CONFIG)  # computes the head anew
    ours = sorted(path.relative_to(sample) for path in sample.rglob("*") if path.is_file())
    theirs = sorted(path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*") if path.is_file())
    assert ours == theirs
    _, different, failed = filecmp.cmpfiles(sample, tmp_path / "again", map(str, ours), shallow=False)
    assert (different, failed) == ([], [])
    write_sample(tmp_path / "other", SampleConfig(speakers=1, sentences=1, max_frames=9, seed=1), canonical=canonical)
    template = Path("templates/speaker01.ply")
    assert (sample / template).read_bytes() != (tmp_path / "other" / template).read_bytes()


def test_a_clip_does_not_depend_on_the_others(sample: Path, tmp_path: Path, canonical: CanonicalHead) -> None:
    write_sample(tmp_path / "one", SampleConfig(speakers=2, sentences=1, max_frames=42), canonical=canonical)
    for part in ("audio/speaker02/sentence01.wav", "truth/tracks/speaker02/sentence01.csv"):
        assert (sample / part).read_bytes() == (tmp_path / "one" / part).read_bytes()
    frame = "unposedcleaneddata/speaker02/sentence01/sentence01.000042.ply"
    assert (sample / frame).read_bytes() == (tmp_path / "one" / frame).read_bytes()


def test_a_sample_that_stands_is_left_alone_and_another_folder_is_refused(sample: Path, tmp_path: Path) -> None:
    assert not write_sample(sample, CONFIG)
    with pytest.raises(OutputError, match="other settings"):
        write_sample(sample, SampleConfig(speakers=1))
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam")
    with pytest.raises(OutputError, match="other files"):
        write_sample(tmp_path, CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, canonical: CanonicalHead) -> None:
    def stop(name: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "half", CONFIG, stop, canonical)
    assert list(tmp_path.iterdir()) == []


def test_text_frames_hold_the_same_positions(sample: Path, tmp_path: Path, canonical: CanonicalHead) -> None:
    config = SampleConfig(speakers=1, sentences=1, max_frames=3, binary=False)
    write_sample(tmp_path / "text", config, canonical=canonical)
    path = frames(tmp_path / "text", "speaker01", "sentence01")[0]
    assert path.read_bytes().startswith(b"ply\nformat ascii")
    assert np.isfinite(read_ply(path).vertices).all()


@pytest.mark.parametrize("wrong", [{"speakers": 0}, {"sentences": 41}, {"seed": -1}, {"max_frames": 10}])
def test_wrong_numbers_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        SampleConfig(**wrong)


def test_residual_is_smooth_and_of_low_rank() -> None:
    rng = np.random.default_rng(0)
    rest = rng.uniform(-0.08, 0.08, (200, 3))
    moved = residual(rest, 40, 60.0, rng)
    assert np.linalg.norm(moved, axis=2).max() == pytest.approx(RESIDUAL)
    assert np.linalg.matrix_rank(moved.reshape(40, -1), tol=1e-9) == 3
    near = residual(np.concatenate([rest, rest + 1e-3]), 40, 60.0, np.random.default_rng(1))
    assert np.abs(near[:, :200] - near[:, 200:]).max() < 0.2 * RESIDUAL


def test_command_line(tmp_path: Path) -> None:
    arguments = [str(tmp_path / "out"), "--speakers", "1", "--sentences", "1", "--max-frames", "3"]
    first = CliRunner().invoke(synth, arguments)
    assert first.exit_code == 0
    assert "Wrote 1 speakers x 1 sentences" in first.output
    assert "Already there" in CliRunner().invoke(synth, arguments).output
