"""Whole builds of a small sample: what comes out, what a second one does, what bad input gets."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from sample_builders import FRAMES, copied, frame, hashes, quick, rewrite

from blendvoca.crop import Crop
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import (
    BlendvocaError,
    ConfigurationError,
    FormatError,
    MissingInputError,
    OutputError,
)
from blendvoca.io.mesh.ply import read_ply
from blendvoca.io.mesh.ply_write import write_ply
from blendvoca.io.sound.wav import read_audio, write_wav
from blendvoca.io.track.csv import read_track
from blendvoca.io.vocaset.source import open_corpus
from blendvoca.mesh import Mesh
from blendvoca.shard.verify import verify
from blendvoca.transfer.quality.figures import flipped_triangles, roughness
from blendvoca.transfer.region import completed_region
from pipelines.build import BuildResult, build
from pipelines.check import check
from pipelines.progress import NoReport
from pipelines.records import DELTA_GRID


class Kept(NoReport):
    """Keeps notes and details."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.details: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def detail(self, text: str) -> None:
        self.details.append(text)


def touched(result: BuildResult) -> dict[str, list[str]]:
    """Return what was done, by stage."""
    return {report.name: report.done for report in result.reports if report.done}


def test_shards_hold_what_the_corpus_holds(built, sample):
    assert built.failures == []
    assert verify(built.out) == []
    dataset = BlendVOCA(built.out)
    assert dataset.speakers == ("speaker01", "speaker02")
    assert len(dataset) == 4  # of six sentences, two are known gaps
    assert dataset.manifest.licence_class == "open"
    assert dataset.manifest.known_gaps == (("speaker02", "sentence02"), ("speaker02", "sentence03"))
    clip = dataset["speaker01", "sentence01"]
    assert len(clip.track) == 30
    assert clip.track.fps == 60
    stored = read_audio(sample / "audio" / "speaker01" / "sentence01.wav")
    assert np.array_equal(clip.waveform.to_int16(), stored.to_int16())
    assert clip.certificate.problems() == []
    assert set(clip.provenance) == {"frames_sha256", "sound_sha256"}


def test_coefficients_follow_the_truth(built, sample):
    # The rig is transferred, not the true one, so this is the quality of the whole way, not of the fit.
    clip = BlendVOCA(built.out)["speaker01", "sentence01"]
    truth = read_track(sample / "truth" / "tracks" / "speaker01" / "sentence01.csv").select(clip.track.names)
    jaw = clip.track.names.index("jawOpen")
    assert np.abs(clip.track.values[:, jaw] - truth.values[:, jaw]).mean() < 0.1
    assert clip.certificate.error_mean_mm < 2.0


def test_second_build_does_nothing_and_says_why(built, sample):
    before, kept = hashes(built.out), Kept()
    again = build(quick(sample), built.out, reporter=kept)
    assert again.idle
    assert hashes(built.out) == before
    assert "fit speaker01/sentence01: kept, nothing changed" in kept.details


def test_workers_write_the_same_bytes(built, sample, tmp_path):
    build(quick(sample), tmp_path / "out", jobs=2)
    assert hashes(tmp_path / "out") == hashes(built.out)


def test_a_moved_corpus_rebuilds_nothing(built, sample, tmp_path):
    shutil.copytree(built.out, tmp_path / "out")
    moved = copied(sample, tmp_path / "elsewhere")
    assert build(quick(moved), tmp_path / "out").idle


def test_only_what_changed_is_built(built, sample, tmp_path):
    corpus, out = copied(sample, tmp_path / "corpus"), tmp_path / "out"
    shutil.copytree(built.out, out)
    one = frame(corpus, "speaker01/sentence02", 4)
    one.write_bytes(frame(corpus, "speaker01/sentence02", 5).read_bytes())
    result = build(quick(corpus), out)
    assert touched(result) == {
        "fit": ["speaker01/sentence02"],
        "pack": ["speaker01"],
        "audit": ["speaker01"],
        "manifest": ["manifest"],
    }
    result = build(quick(corpus, rate_limit=0.05), out)
    assert set(touched(result)) == {"fit", "pack", "audit", "manifest"}
    assert len(touched(result)["fit"]) == 4


KERNELS = {
    "Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
    "Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "no AVX": {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX X86_V3 X86_V4"},
}


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_other_kernels_give_the_same_bytes(built, sample, tmp_path, kernel):
    config = quick(sample)
    command = [sys.executable, "-m", "blendvoca", "build", str(sample), "--out", str(tmp_path / "out"), "--jobs", "0",
               "--source-rig", str(config.source_rig), "--method", config.method]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, **KERNELS[kernel]}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("speaker01.h5", "speaker02.h5", "manifest.json"):
        assert (tmp_path / "out" / name).read_bytes() == (built.out / name).read_bytes()


def test_check_tells_rounding_from_a_real_difference(built, sample, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(built.out, out)
    with h5py.File(out / "speaker01.h5", "r+") as file:
        file["rig/deltas"][0, 0, 0] += DELTA_GRID
    (line,) = check(quick(sample), out)
    assert "speaker01.h5" in line and "rounding alone, as of another processor" in line
    with h5py.File(out / "speaker01.h5", "r+") as file:
        file["rig/deltas"][0, 0, 0] += 1e-4
    (line,) = check(quick(sample), out)
    assert "rounding alone" not in line and "deltas by 1.0e-04 m" in line


def test_check_compares_with_a_fresh_build(built, sample, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(built.out, out)
    before = hashes(out)
    assert check(quick(sample), out) == []
    assert hashes(out) == before
    different = check(quick(sample, rate_limit=0.05), out)
    assert "coefficients differ by at most" in different[1] and "rounding alone" not in different[1]
    assert [line.split(":")[0] for line in different] == ["manifest.json", "speaker01.h5", "speaker02.h5"]
    with pytest.raises(MissingInputError, match="no build here"):
        check(quick(sample), tmp_path / "nothing")


def test_every_shape_of_the_source(sample, tmp_path):
    result = build(quick(sample, shapes="all"), tmp_path / "out")
    assert result.failures == []
    assert len(BlendVOCA(tmp_path / "out").names) == 51
    result = build(quick(sample, shapes="jawOpen, mouthClose"), tmp_path / "out")
    assert "correspond" not in touched(result)  # the registration does not depend on the shapes
    assert BlendVOCA(tmp_path / "out").names == ("jawOpen", "mouthClose")


BAD_FRAMES = {
    "speaker01/sentence01": ("cut", "PLY"),
    "speaker01/sentence02": ("no mesh", "web page"),
    "speaker01/sentence03": ("nan", "not finite"),
    "speaker01/sentence04": ("one vertex more", "vertex count"),
    "speaker01/sentence05": ("other faces", "face list"),
}


@pytest.fixture
def spoilt(wide_sample: Path, tmp_path: Path) -> Path:
    """The wide sample with one thing wrong in nine of its clips."""
    corpus = copied(wide_sample, tmp_path / "corpus")
    for clip, (change, _) in BAD_FRAMES.items():
        rewrite(frame(corpus, clip, 5), change)
    frame(corpus, "speaker01/sentence06", 4).unlink()
    sound = corpus / "audio" / "speaker02"
    (sound / "sentence01.wav").unlink()
    long = read_audio(sound / "sentence02.wav")
    write_wav(sound / "sentence02.wav", type(long)(np.tile(long.samples, 8), long.rate))
    shutil.rmtree(corpus / FRAMES / "speaker02" / "sentence04")
    return corpus


def test_bad_clips_are_listed_and_the_rest_is_built(spoilt, wide_sample, tmp_path):
    result = build(quick(spoilt), tmp_path / "out")
    errors = {failure.item: failure.error for failure in result.failures}
    gaps = {"speaker02/sentence03", "speaker02/sentence07"}
    assert set(errors) == {*BAD_FRAMES, "speaker01/sentence06"} | {f"speaker02/sentence0{n}" for n in (1, 2, 4)}
    for clip, (_, words) in BAD_FRAMES.items():
        assert words in errors[clip]
        assert f"{clip.split('/')[1]}.00000" in errors[clip], "the file is named"
    assert "lacks frames" in errors["speaker01/sentence06"]
    assert "no sound of speaker02/sentence01" in errors["speaker02/sentence01"]
    assert "audio lasts" in errors["speaker02/sentence02"]
    assert errors["speaker02/sentence04"] == "no motion"
    assert verify(tmp_path / "out") == []
    built = {(row["speaker"], row["sentence"]) for row in BlendVOCA(tmp_path / "out").table()}
    every = {(f"speaker0{s}", f"sentence0{n}") for s in (1, 2) for n in range(1, 9)}
    assert built == every - {tuple(name.split("/")) for name in {*errors, *gaps}}

    # Mended, the same command builds what was missing, and the bytes are those of an undisturbed build.
    shutil.rmtree(spoilt)
    copied(wide_sample, spoilt)
    assert build(quick(spoilt), tmp_path / "out").failures == []
    build(quick(wide_sample), tmp_path / "fresh")
    assert hashes(tmp_path / "out") == hashes(tmp_path / "fresh")


def test_a_speaker_without_template_is_listed(sample, tmp_path):
    corpus = copied(sample, tmp_path / "corpus")
    (corpus / "templates" / "speaker02.ply").unlink()
    (corpus / "splits.json").unlink()
    result = build(quick(corpus), tmp_path / "out")
    assert [(failure.item, failure.error) for failure in result.failures] == [("speaker02", "no template")]
    assert BlendVOCA(tmp_path / "out").speakers == ("speaker01",)


def test_a_shard_whose_clips_turn_bad_does_not_stay(sample, built, tmp_path):
    corpus, out = copied(sample, tmp_path / "corpus"), tmp_path / "out"
    shutil.copytree(built.out, out)
    rewrite(frame(corpus, "speaker02/sentence01", 0), "no mesh")
    result = build(quick(corpus), out)
    assert {failure.stage for failure in result.failures} == {"fit", "pack"}
    assert not (out / "speaker02.h5").exists()
    assert BlendVOCA(out).speakers == ("speaker01",)


def test_sound_may_be_missing_altogether(sample, tmp_path):
    corpus = copied(sample, tmp_path / "corpus")
    shutil.rmtree(corpus / "audio")
    kept = Kept()
    result = build(quick(corpus), tmp_path / "out", reporter=kept)
    assert result.failures == []
    assert any("sound" in line for line in kept.notes)
    assert BlendVOCA(tmp_path / "out")["speaker01", "sentence01"].waveform is None


def test_all_forms_of_a_corpus_give_the_same_clips(sample, built, tmp_path):
    corpus = copied(sample, tmp_path / "corpus")
    shutil.make_archive(str(corpus / "speaker01"), "zip", corpus / FRAMES / "speaker01")
    shutil.rmtree(corpus / FRAMES / "speaker01")
    result = build(quick(corpus), tmp_path / "out")
    assert result.failures == []
    assert {name: content for name, content in hashes(tmp_path / "out").items() if name.endswith(".h5")} == {
        name: content for name, content in hashes(built.out).items() if name.endswith(".h5")
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1\n2\n3\n", "wrong number of landmarks"),
        ("\n".join(str(n) for n in range(67)) + "\n99999\n", "does not exist"),
        ("\n".join(str(n) for n in range(68)), ""),
        ("vertex\n", "no vertex index"),
    ],
)
def test_bad_landmarks_fail_every_speaker(sample, tmp_path, content, words):
    marks = tmp_path / "marks.txt"
    marks.write_text(content)
    result = build(quick(sample, landmarks=marks), tmp_path / "out")
    assert [(failure.stage, failure.item) for failure in result.failures] == [
        ("landmarks", "speaker01"),
        ("landmarks", "speaker02"),
    ]
    assert all(words in failure.error and "marks.txt" in failure.error for failure in result.failures)
    assert not list((tmp_path / "out").glob("*.h5"))
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("unit", [1000.0, 100.0])
def test_templates_in_another_unit_are_refused_by_name(sample, tmp_path, unit):
    corpus = copied(sample, tmp_path / "corpus")
    path = corpus / "templates" / "speaker02.ply"
    template = read_ply(path)
    write_ply(path, Mesh(template.vertices * unit, template.faces))
    result = build(quick(corpus), tmp_path / "out")
    assert {failure.item.split("/")[0] for failure in result.failures} == {"speaker02"}
    assert "not in metres" in result.failures[0].error
    assert f"{1 / unit:g}" in result.failures[0].error
    assert BlendVOCA(tmp_path / "out").speakers == ("speaker01",)


def test_a_users_region_is_what_moves(sample, built, tmp_path):
    corpus, out, masks = copied(sample, tmp_path / "corpus"), tmp_path / "out", tmp_path / "masks.pkl"
    template = read_ply(corpus / "templates" / "speaker01.ply")
    marks = np.loadtxt(corpus / "landmarks" / "head.txt", dtype=int)
    with np.load(next((built.out / ".stages" / "crop").glob("speaker01*.npz"))) as stored:
        own = stored["region_kept"]
    # Without the outermost of the region that is found: a landmark stays in.
    near = np.setdiff1d(own, own[np.argsort(template.vertices[own, 1])[-40:]])
    masks.write_bytes(pickle.dumps({"face": np.union1d(near, marks), "chin": marks[:17]}))
    result = build(quick(corpus, region=masks), out)
    assert result.failures == []
    with np.load(next((out / ".stages" / "crop").glob("speaker01*.npz"))) as stored:
        given = Crop.of(np.union1d(near, marks), template.n_vertices)
        whole, _ = completed_region(template, given, marks)
        assert np.array_equal(stored["region_kept"], whole.kept)
        assert np.isin(given.kept, whole.kept).all()
    assert any("take the fade" in note and "speaker01" in note for note in result.notes)
    again = build(quick(corpus, region=Path(f"{masks}:chin")), out)
    assert {failure.stage for failure in again.failures} == {"crop"}
    assert "leaves 51 of the landmarks out" in again.failures[0].error
    with pytest.raises(MissingInputError, match="no such region"):
        build(quick(corpus, region=tmp_path / "none.txt"), tmp_path / "other")


def test_quality_is_that_of_the_shapes_in_the_shard(built):
    """Not of the transfer before it fades: figures measured on the shard's own rig are those that were kept."""
    work, rig = built.work, BlendVOCA(built.out).rig("speaker01")
    kept = work.mark("reattach", "speaker01").facts["quality"]
    assert "quality" not in work.mark("transfer", "speaker01").facts
    rough = 1e3 * roughness(rig.neutral, rig.deltas).max(axis=1)
    assert np.allclose([shape["roughness_mm"] for shape in kept["shapes"]], rough, atol=0.01)
    assert [shape["flips"] for shape in kept["shapes"]] == flipped_triangles(rig.neutral, rig.deltas).tolist()


def test_what_cannot_be_built_at_all(sample, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    cases = [
        (quick(tmp_path / "nowhere"), MissingInputError, "nowhere"),
        (quick(tmp_path / "photos"), FormatError, "no VOCASET"),
        (quick(sample, landmarks=tmp_path / "none.txt"), MissingInputError, "none.txt"),
        (quick(sample, source_rig="arkitt"), BlendvocaError, "arkitt"),
        (quick(sample, shapes="jawOpn"), BlendvocaError, "jawOpen"),
        (quick(sample, method="magic"), BlendvocaError, "magic"),
    ]
    for config, error, words in cases:
        with pytest.raises(error, match=words):
            build(config, tmp_path / "out")
        assert not list((tmp_path / "out").glob("*.h5"))
    with pytest.raises(ConfigurationError, match="rate limit"):
        quick(sample, rate_limit=0.0)


def test_an_output_that_holds_something_else_is_refused(sample, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("my only copy")
    with pytest.raises(OutputError, match=r"something else.*thesis\.tex"):
        build(quick(sample), out)
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", sample, sample / "inside", sample.parent):
        with pytest.raises(OutputError):
            build(quick(sample), place)
    assert not (sample / "inside").exists()


def test_another_corpus_does_not_replace_shards_unasked(built, sample, tmp_path):
    out, corpus = tmp_path / "out", copied(sample, tmp_path / "corpus")
    shutil.copytree(built.out, out)
    for place in (corpus / "templates").iterdir():
        place.rename(place.with_name(place.name.replace("speaker", "person")))
    for kind in ("audio", FRAMES):
        for place in (corpus / kind).iterdir():
            place.rename(place.with_name(place.name.replace("speaker", "person")))
    (corpus / "splits.json").write_text(json.dumps({"train": ["person01", "person02"]}))
    with pytest.raises(OutputError, match="speaker01, speaker02"):
        build(quick(corpus), out)
    assert (out / "speaker01.h5").exists()
    build(quick(corpus), out, force=True)
    assert BlendVOCA(out).speakers == ("person01", "person02")
    assert not (out / "speaker01.h5").exists()


def test_training_package_gives_the_same_clips(sample, built, tmp_path):
    corpus = open_corpus(sample)
    folder = tmp_path / "package"
    folder.mkdir()
    blocks, rows, sounds, row = [], {}, {}, 0
    for speaker, sentence in corpus.clips():
        frames = corpus.motion(speaker, sentence).frames()
        blocks.append(frames)
        rows.setdefault(speaker, {})[sentence] = {number: row + number for number in range(len(frames))}
        sound = corpus.audio(speaker, sentence)
        sounds.setdefault(speaker, {})[sentence] = {"audio": sound.to_int16(), "sample_rate": sound.rate}
        row += len(frames)
    np.save(folder / "data_verts.npy", np.concatenate(blocks).astype(np.float32))
    templates = {speaker: corpus.template(speaker).vertices.astype(np.float32) for speaker in corpus.speakers}
    for name, content in (("subj_seq_to_idx", rows), ("templates", templates), ("raw_audio_fixed", sounds)):
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(content, protocol=2))
    shutil.copy(sample / "templates" / "speaker01.ply", folder / "FLAME_sample.ply")

    result = build(quick(folder, landmarks=sample / "landmarks" / "head.txt"), tmp_path / "out")
    assert result.failures == []
    package, folders = BlendVOCA(tmp_path / "out"), BlendVOCA(built.out)
    assert package.manifest.licence_class == "restricted"
    for clip in folders:
        other = package[clip.speaker, clip.sentence]
        assert other.provenance == clip.provenance
        assert np.array_equal(other.track.values, clip.track.values)
        assert np.array_equal(other.waveform.samples, clip.waveform.samples)


def test_the_report_shows_transfer_and_fit_errors_and_changes_no_hash(built, sample, tmp_path):
    pytest.importorskip("PIL", reason="pip install 'blendvoca[view]' brings pillow")
    from pipelines.report import write_report

    before = hashes(built.out)
    page = write_report(built)
    text = page.read_text(encoding="utf-8")
    page.unlink()
    assert 'href="worst.html#speaker01&amp;sentence' in text, "the worst clips can be looked at"
    (built.out / "worst.html").unlink()
    assert hashes(built.out) == before
    assert "Transfer of the blendshapes" in text
    worst = built.work.load("fit", "speaker01/sentence01")["frame_error_mm"]
    assert f"frame {int(np.argmax(worst))}" in text
    # The heat of a picture is the distance between the corpus' own mesh and the fit.
    assert float(text.split("dark red ")[1].split(" mm")[0]) > worst.max()
