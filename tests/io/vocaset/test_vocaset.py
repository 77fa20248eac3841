"""Recognising VOCASET in its forms, and saying what is missing."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from blendvoca.audio import Waveform
from blendvoca.errors import FormatError, InputError, MeshError, MissingInputError, UnsafePickleError
from blendvoca.io.mesh.ply_write import write_ply, write_ply_frames
from blendvoca.io.sound.wav import write_wav
from blendvoca.io.vocaset.corpus import Corpus
from blendvoca.io.vocaset.source import open_corpus
from blendvoca.mesh import Mesh

V, T = 20, 5
SPEAKERS = ("FaceTalk_170809_00138_TA", "FaceTalk_170811_03274_TA", "anna")
SENTENCES = ("sentence01", "sentence24", "sentence32")
GAPS = {("FaceTalk_170811_03274_TA", "sentence24"), ("FaceTalk_170809_00138_TA", "sentence32")}
FACES = np.random.default_rng(9).integers(0, V, (30, 3), dtype=np.int32)


def motion(speaker: str, sentence: str) -> np.ndarray:
    seed = 100 * SPEAKERS.index(speaker) + SENTENCES.index(sentence)
    return np.random.default_rng(seed).normal(size=(T, V, 3)).astype(np.float32)


def sound(speaker: str, sentence: str) -> Waveform:
    return Waveform.from_int16((motion(speaker, sentence).ravel() * 3000).astype(np.int16), 22_000)


def neutral(speaker: str) -> np.ndarray:
    return motion(speaker, "sentence01")[0]


def pairs() -> list[tuple[str, str]]:
    return [(who, what) for who in SPEAKERS for what in SENTENCES if (who, what) not in GAPS]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    root = tmp_path / "VOCASET"
    for who in SPEAKERS:
        write_ply(root / "templates" / f"{who}.ply", Mesh(neutral(who), FACES), binary=False)
        for what in SENTENCES:
            write_wav(root / "audio" / who / f"{what}.wav", sound(who, what))
    for who, what in pairs():
        write_ply_frames(root / "unposedcleaneddata" / who / what, motion(who, what), FACES)
    return root


def zipped(source: Path, target: Path, relative_to: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(relative_to))


@pytest.fixture
def archives(folders: Path, tmp_path: Path) -> Path:
    root = tmp_path / "downloads"
    root.mkdir()
    zipped(folders / "templates", root / "templates.zip", folders)
    zipped(folders / "audio", root / "audio.zip", folders)
    # One archive starts at the speaker, one at its sentences, one further up.
    data = folders / "unposedcleaneddata"
    for who, above in zip(SPEAKERS, (data, data / SPEAKERS[1], folders.parent), strict=True):
        zipped(data / who, root / f"{who}.zip", above)
    return root


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "trainingdata"
    root.mkdir()
    rows: dict[str, dict[str, dict[int, int]]] = {who: {} for who in SPEAKERS}
    audio: dict[str, dict[str, object]] = {who: {} for who in SPEAKERS}
    frames = []
    for who, what in pairs():
        rows[who][what] = {frame: len(frames) * T + frame for frame in range(T)}
        frames.append(motion(who, what))
    for who in SPEAKERS:
        for what in SENTENCES:
            audio[who][what] = {"audio": sound(who, what).to_int16(), "sample_rate": 22_000}
    np.save(root / "data_verts.npy", np.concatenate(frames))
    for name, value in (("subj_seq_to_idx", rows), ("raw_audio_fixed", audio)):
        (root / f"{name}.pkl").write_bytes(pickle.dumps(value, 2))
    (root / "templates.pkl").write_bytes(pickle.dumps({who: neutral(who) for who in SPEAKERS}, 2))
    write_ply(root / "FLAME_sample.ply", Mesh(neutral("anna"), FACES))
    return root


@pytest.fixture(params=["folders", "archives", "one archive", "package"])
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Corpus:
    if request.param == "one archive":
        zipped(request.getfixturevalue("folders"), tmp_path / "all.zip", tmp_path)
        return open_corpus(tmp_path / "all.zip")
    return open_corpus(request.getfixturevalue(request.param))


def test_every_form_holds_the_same(corpus: Corpus) -> None:
    assert corpus.kind.startswith("VOCASET")
    assert corpus.speakers == tuple(sorted(SPEAKERS))
    assert sorted(corpus.clips()) == sorted(pairs())
    again = pickle.loads(pickle.dumps(corpus))
    for who, what in pairs():
        sequence = again.motion(who, what)
        assert sequence.fps == 60.0
        assert np.array_equal(sequence.frames(), motion(who, what))
        assert np.array_equal(sequence.faces, FACES)
        assert np.array_equal(corpus.audio(who, what).samples, sound(who, what).samples)
        assert corpus.has_audio(who, what)
    assert np.array_equal(corpus.template("anna").vertices, neutral("anna").astype(np.float64))


def test_known_gaps_are_not_reported(corpus: Corpus) -> None:
    missing_lines = "\n".join(map(str, corpus.missing))
    assert "sentence24" not in missing_lines
    assert "sentence32" not in missing_lines
    assert "37 sentences of VOCASET's 40" in missing_lines
    assert "2 of the published split's 12 speakers" in missing_lines
    assert "anna" not in missing_lines


def test_what_is_not_there_is_named(corpus: Corpus) -> None:
    with pytest.raises(MissingInputError, match="did you mean 'anna'"):
        corpus.sentences("ana")
    with pytest.raises(MissingInputError, match="sentence99"):
        corpus.motion("anna", "sentence99")
    with pytest.raises(MissingInputError, match="sentence99"):
        corpus.audio("anna", "sentence99")


def test_missing_parts_and_what_they_cost(folders: Path) -> None:
    (folders / "templates" / "anna.ply").unlink()
    (folders / "audio" / SPEAKERS[0] / "sentence01.wav").unlink()
    shutil.rmtree(folders / "unposedcleaneddata" / SPEAKERS[1] / "sentence32")
    (folders / "templates" / "zoe.ply").write_bytes((folders / "templates" / f"{SPEAKERS[0]}.ply").read_bytes())
    corpus = open_corpus(folders)
    assert corpus.speakers == SPEAKERS[:2]
    assert not corpus.has_audio(SPEAKERS[0], "sentence01")
    missing_lines = {(missing.what, missing.speaker): missing for missing in corpus.missing}
    assert "3 sentences left out" in missing_lines["template", "anna"].cost
    assert missing_lines["sound", SPEAKERS[0]].sentences == ("sentence01",)
    assert missing_lines["motion", SPEAKERS[1]].sentences == ("sentence32",)
    assert "left out" in missing_lines["motion", "zoe"].cost
    with pytest.raises(MissingInputError, match="no template"):
        corpus.template("anna")


def test_names_that_cannot_name_files_cost_their_clip_only(folders: Path) -> None:
    speaker = open_corpus(folders).speakers[0]
    sentences = open_corpus(folders).sentences(speaker)
    home = folders / "unposedcleaneddata" / speaker
    shutil.copytree(home / sentences[0], home / f"{sentences[0]} (copy)")
    found = open_corpus(folders)
    assert found.sentences(speaker) == sentences
    lines = [str(lack) for lack in found.missing if lack.what == "usable name"]
    assert lines == [f"no usable name of {speaker} ('{sentences[0]} (copy)'): 1 sentence left out; rename them"]


def test_speakers_that_differ_in_case_alone_are_not_mixed(folders: Path) -> None:
    speaker = open_corpus(folders).speakers[0]
    for part in ("templates", "unposedcleaneddata"):
        for path in sorted((folders / part).glob(f"{speaker}*")):
            target = path.with_name(path.name.replace(speaker, speaker.lower()))
            (shutil.copytree if path.is_dir() else shutil.copy)(path, target)
    found = open_corpus(folders)
    assert len({name.casefold() for name in found.speakers}) == len(found.speakers)
    assert any("is left out; rename it" in str(lack) for lack in found.missing)


def test_motion_with_other_faces_than_the_template(folders: Path) -> None:
    write_ply(folders / "templates" / "anna.ply", Mesh(neutral("anna"), FACES[::-1]))
    with pytest.raises(MeshError, match="template"):
        open_corpus(folders).motion("anna", "sentence01")


def test_stamps_change_with_their_files(corpus: Corpus, folders: Path) -> None:
    before = {pair: corpus.stamp(*pair) for pair in pairs()}
    assert before == {pair: pickle.loads(pickle.dumps(corpus)).stamp(*pair) for pair in pairs()}
    assert corpus.stamp("anna")
    if corpus.kind == "VOCASET, folders":
        write_ply_frames(folders / "unposedcleaneddata" / "anna" / "sentence01", motion("anna", "sentence24"), FACES)
        changed = [pair for pair in pairs() if corpus.stamp(*pair) != before[pair]]
        assert changed == [("anna", "sentence01")]


def test_gaps_that_a_corpus_states_are_not_reported(folders: Path) -> None:
    shutil.rmtree(folders / "unposedcleaneddata" / "anna" / "sentence32")
    assert any(missing.speaker == "anna" for missing in open_corpus(folders).missing)
    (folders / "sample.json").write_text(json.dumps({"known_gaps": [["anna", "sentence32"]]}))
    assert not any(missing.speaker == "anna" for missing in open_corpus(folders).missing)


def test_a_stated_split(folders: Path) -> None:
    assert open_corpus(folders).splits is None
    (folders / "splits.json").write_text(json.dumps({"train": list(SPEAKERS[:2]), "test": ["anna"]}))
    assert open_corpus(folders).splits == {SPEAKERS[0]: "train", SPEAKERS[1]: "train", "anna": "test"}
    for wrong in ('{"train": ["anna"]}', "[]", '{"train": 1}', "{"):
        (folders / "splits.json").write_text(wrong)
        with pytest.raises((FormatError, InputError), match=r"splits\.json"):
            open_corpus(folders)


def test_places_that_are_no_corpus(tmp_path: Path, package: Path) -> None:
    with pytest.raises(MissingInputError, match="nothing is here"):
        open_corpus(tmp_path / "nowhere")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"")
    with pytest.raises(FormatError, match=r"cat\.jpg"):
        open_corpus(tmp_path / "photos")
    with pytest.raises(FormatError, match="no VOCASET"):
        open_corpus(tmp_path / "photos" / "cat.jpg")
    (tmp_path / "deeper").mkdir()
    shutil.move(package, tmp_path / "deeper" / "trainingdata")
    with pytest.raises(FormatError, match="point at the folder"):
        open_corpus(tmp_path / "deeper")


def test_a_package_with_parts_missing(package: Path) -> None:
    (package / "FLAME_sample.ply").unlink()
    (package / "raw_audio_fixed.pkl").unlink()
    corpus = open_corpus(package)
    assert corpus.speakers == ()
    missing_lines = "\n".join(map(str, corpus.missing))
    assert "FLAME_sample.ply" in missing_lines
    assert "raw_audio_fixed.pkl" in missing_lines
    (package / "subj_seq_to_idx.pkl").unlink()
    with pytest.raises(MissingInputError, match="subj_seq_to_idx"):
        open_corpus(package)


def test_a_package_that_is_wrong(package: Path) -> None:
    index = package / "subj_seq_to_idx.pkl"
    for table in ({0: 99_999}, {0: 0, 2: 1}, {0: "a"}, [1]):
        index.write_bytes(pickle.dumps({"anna": {"sentence01": table}}, 2))
        with pytest.raises(FormatError, match=r"subj_seq_to_idx|data_verts"):
            open_corpus(package).motion("anna", "sentence01")
    for value in ([], {"anna": 3}, {1: {}}):
        index.write_bytes(pickle.dumps(value, 2))
        with pytest.raises(FormatError, match="subj_seq_to_idx"):
            open_corpus(package)
    index.write_bytes(pickle.dumps({"anna": print}, 2))
    with pytest.raises(UnsafePickleError):
        open_corpus(package)


def test_sound_of_other_kinds_in_a_package(package: Path) -> None:
    tone = sound("anna", "sentence01")
    whole = tone.to_int16()
    kinds = [whole.astype(np.float32) / 32768, whole.astype(np.float64), np.stack([whole, whole], axis=1)]
    for samples in kinds:
        audio = {"anna": {"sentence01": {"audio": samples, "sample_rate": np.int64(22_000)}}}
        (package / "raw_audio_fixed.pkl").write_bytes(pickle.dumps(audio, 2))
        assert np.allclose(open_corpus(package).audio("anna", "sentence01").samples, tone.samples, atol=1e-4)
    for wrong in ({"audio": whole}, [1], {"audio": "x", "sample_rate": 1}, {"audio": whole, "sample_rate": "fast"}):
        (package / "raw_audio_fixed.pkl").write_bytes(pickle.dumps({"anna": {"sentence01": wrong}}, 2))
        with pytest.raises(FormatError, match="raw_audio_fixed"):
            open_corpus(package).audio("anna", "sentence01")


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """What FaceFormer's preparation leaves, of which 5 frames last as long as the sound of 300 samples."""
    root = tmp_path / "prepared"
    for folder in ("vertices_npy", "wav"):
        (root / folder).mkdir(parents=True)
    for who, what in pairs():
        np.save(root / "vertices_npy" / f"{who}_{what}.npy", motion(who, what).reshape(T, -1))
    (root / "templates.pkl").write_bytes(pickle.dumps({who: neutral(who) for who in SPEAKERS}, protocol=2))
    write_ply(root / "FLAME_sample.ply", Mesh(neutral("anna"), FACES))
    return root


@pytest.mark.parametrize(("seconds", "fps"), [(T / 30, 30), (T / 60, 60), (T / 25, 25), (None, 30), (7.0, 30)])
def test_faceformers_preparation(prepared: Path, seconds: float | None, fps: float) -> None:
    if seconds is not None:
        for who, what in pairs():
            write_wav(prepared / "wav" / f"{who}_{what}.wav", Waveform(np.full(round(seconds * 8000), 0.1), 8000))
    corpus = open_corpus(prepared)
    assert corpus.fps == fps
    assert corpus.kind == f"VOCASET as prepared for FaceFormer, at {fps} frames per second"
    assert list(corpus.clips()) == sorted(pairs())
    assert corpus.has_audio("anna", "sentence01") == (seconds is not None)
    sequence = corpus.motion("anna", "sentence24")
    assert sequence.fps == fps
    np.testing.assert_array_equal(sequence.frames(), motion("anna", "sentence24"))
    np.testing.assert_array_equal(sequence.faces, FACES)
    np.testing.assert_allclose(corpus.template("anna").vertices, neutral("anna"))
    before = corpus.stamp("anna", "sentence24"), corpus.stamp("anna")
    np.save(prepared / "vertices_npy" / "anna_sentence24.npy", np.zeros((T + 1, 3 * V), np.float32))
    assert (corpus.stamp("anna", "sentence24"), corpus.stamp("anna")) != before
    assert corpus.stamp("anna") == before[1]


def test_faceformers_preparation_without_its_parts(prepared: Path) -> None:
    (prepared / "FLAME_sample.ply").unlink()
    assert "mesh file of 20 vertices" in str(open_corpus(prepared).missing[0])
    (prepared / "templates.pkl").unlink()
    assert open_corpus(prepared).missing[0].what == "templates.pkl"


def test_what_many_speakers_lack_is_one_line() -> None:
    from blendvoca.io.vocaset.corpus import Missing, grouped

    lacks = [Missing("motion", "nothing to fit; the speaker is left out", f"speaker{n:02}") for n in range(11)]
    lacks += [Missing("sound", f"{n} sentences cannot become clips with speech", f"speaker{n:02}") for n in (12, 13)]
    lacks.append(Missing("template", "no rig can be made; 1 sentence left out", "speaker20"))
    assert grouped(lacks) == [
        "no motion of 11 speakers (speaker00, speaker01, speaker02 and 8 more): nothing to fit; they are left out",
        "no sound of 2 speakers (speaker12, speaker13): 25 sentences cannot become clips with speech",
        str(lacks[-1]),
    ]


def test_an_unfinished_download_is_named(tmp_path: Path) -> None:
    (tmp_path / "templates.zip.crdownload").write_bytes(b"PK")
    (tmp_path / "audio.zip.part").write_bytes(b"PK")
    with pytest.raises(FormatError, match=r"The download is not finished: audio\.zip\.part and 1 more"):
        open_corpus(tmp_path)
