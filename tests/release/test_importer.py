"""The authors' release becomes shards; VOCASET's files complete them."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.cli import main
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import BlendvocaError, FormatError, LicenceError, MissingInputError, TrackError, UnsafePickleError
from blendvoca.io.mesh.ply import read_ply
from blendvoca.io.sound.wav import read_audio
from blendvoca.io.track.csv import read_track
from blendvoca.release.complete import complete
from blendvoca.release.importer import import_release
from blendvoca.shard.schema import LicenceClass
from blendvoca.shard.verify import verify


@pytest.fixture
def release(stand_in: Any, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(stand_in.release, tmp_path / "release"))


def _spoil_zip(release: Path, **members: str) -> None:
    with zipfile.ZipFile(release / "blendshape_coeffs.zip", "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/") + ".csv", text)


def _row(values: float = 0.5) -> str:
    return ",".join(BLENDVOCA_NAMES) + "\n" + ",".join([str(values)] * 32) + "\n"


def test_coefficients_and_deltas_come_over(stand_in: Any, tmp_path: Path) -> None:
    manifest = import_release(stand_in.release, tmp_path, stand_in.head_vertices)
    assert manifest.licence_class is LicenceClass.COEFFICIENTS
    assert verify(tmp_path) == []
    dataset = BlendVOCA(tmp_path)
    assert dataset.names == BLENDVOCA_NAMES
    tracks = sorted((stand_in.corpus / "truth" / "tracks").rglob("*.csv"))
    assert len(dataset) == len(tracks) == 4
    for path in tracks:
        clip = dataset[path.parent.name, path.stem]
        np.testing.assert_array_equal(clip.track.values, read_track(path).values.astype(np.float32))
        assert (clip.track.fps, clip.waveform, clip.certificate) == (60, None, None)
        assert clip.provenance["origin"] == "release"
    with np.load(stand_in.corpus / "truth" / "rigs" / "speaker01.head.npz") as truth:
        column = list(truth["names"]).index("jawOpen")
        expected = truth["deltas"][column][stand_in.kept].astype(np.float32)
    parts = dataset.parts("speaker01")
    assert parts.deltas is not None
    assert parts.crop is not None
    np.testing.assert_array_equal(parts.deltas[BLENDVOCA_NAMES.index("jawOpen")], expected)
    np.testing.assert_array_equal(parts.crop.kept, stand_in.kept)
    with pytest.raises(LicenceError, match="blendvoca complete"):
        dataset.rig("speaker01")


def test_columns_are_mapped_by_name(release: Path, tmp_path: Path) -> None:
    names = BLENDVOCA_NAMES[::-1]
    _spoil_zip(release, speaker01__s1=",".join(names) + "\n" + ",".join(f"{n / 100}" for n in range(32)) + "\n")
    import_release(release, tmp_path / "out")
    assert BlendVOCA(tmp_path / "out")[0].track.values[0, 0] == np.float32(0.31)


def test_tables_without_deltas(release: Path, tmp_path: Path) -> None:
    _spoil_zip(release, somebody__s1=_row())
    import_release(release, tmp_path / "out")
    assert BlendVOCA(tmp_path / "out").parts("somebody").deltas is None
    assert verify(tmp_path / "out") == []


def test_same_release_same_bytes(stand_in: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        import_release(stand_in.release, tmp_path / name, stand_in.head_vertices)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


class _Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("touch /tmp/blendvoca-was-here",))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (pickle.dumps({"speaker01": _Evil()}), UnsafePickleError),
        (pickle.dumps({"speaker01": {"jawOpen": np.zeros((4, 3))}}), FormatError),
        (pickle.dumps({"speaker01": {name: np.zeros((4, 2)) for name in BLENDVOCA_NAMES}}), FormatError),
        (pickle.dumps({"speaker01": {n: np.zeros((4 + (n == "jawOpen"), 3)) for n in BLENDVOCA_NAMES}}), FormatError),
        (pickle.dumps({"speaker01": {name: np.full((4, 3), np.nan) for name in BLENDVOCA_NAMES}}), FormatError),
        (pickle.dumps([1, 2]), FormatError),
        (b"no pickle", FormatError),
    ],
)
def test_bad_residuals(release: Path, tmp_path: Path, content: bytes, error: type[BlendvocaError]) -> None:
    (release / "blendshape_residuals.pickle").write_bytes(content)
    with pytest.raises(error, match=r"blendshape_residuals\.pickle"):
        import_release(release, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not Path("/tmp/blendvoca-was-here").exists()


@pytest.mark.parametrize(
    ("members", "error", "said"),
    [
        ({"..__..__evil__s1": _row()}, FormatError, "outside"),
        ({"top": _row()}, FormatError, "of no speaker"),
        ({"a__s1": "jawOpen\n0.5\n"}, TrackError, "other columns"),
        ({"a__s1": _row(7)}, TrackError, "not as the authors published"),
        ({"a__s1": _row().replace("0.5", "x", 1)}, FormatError, r"a/s1\.csv"),
        ({"a__x__s1": _row(), "b__x__s1": _row()}, FormatError, "two tables"),
        ({}, FormatError, "no coefficient tables"),
    ],
)
def test_bad_tables(
    release: Path, tmp_path: Path, members: dict[str, str], error: type[BlendvocaError], said: str
) -> None:
    _spoil_zip(release, **members)
    with pytest.raises(error, match=said):
        import_release(release, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_and_truncated_files(release: Path, tmp_path: Path) -> None:
    archive = release / "blendshape_coeffs.zip"
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(FormatError, match="zip"):
        import_release(release, tmp_path / "out")
    archive.unlink()
    with pytest.raises(MissingInputError, match="blendvoca download blendvoca-release"):
        import_release(release, tmp_path / "out")


def test_vocaset_completes_them(stand_in: Any, tmp_path: Path) -> None:
    import_release(stand_in.release, tmp_path, stand_in.head_vertices)
    tracks = {clip.sentence: clip.track.values for clip in BlendVOCA(tmp_path) if clip.speaker == "speaker01"}
    result = complete(tmp_path, stand_in.corpus)
    assert result.missing == ()
    assert result.manifest.licence_class is LicenceClass.RESTRICTED
    assert verify(tmp_path) == []
    dataset = BlendVOCA(tmp_path)
    rig = dataset.rig("speaker01")
    template = read_ply(stand_in.corpus / "templates" / "speaker01.ply")
    np.testing.assert_array_equal(rig.neutral.vertices, template.vertices[stand_in.kept].astype(np.float32))
    clip = dataset["speaker01", "sentence01"]
    sound = read_audio(stand_in.corpus / "audio" / "speaker01" / "sentence01.wav")
    assert clip.waveform is not None
    np.testing.assert_array_equal(clip.waveform.samples, sound.samples)
    np.testing.assert_array_equal(clip.track.values, tracks["sentence01"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    complete(tmp_path, stand_in.corpus)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_completing_with_half_of_vocaset(stand_in: Any, tmp_path: Path) -> None:
    shards, out, half = tmp_path / "shards", tmp_path / "out", tmp_path / "half"
    import_release(stand_in.release, shards, stand_in.head_vertices)
    for folder in ("templates", "audio"):
        shutil.copytree(stand_in.corpus / folder, half / folder)
    (half / "templates" / "speaker02.ply").unlink()
    (half / "audio" / "speaker01" / "sentence02.wav").unlink()
    result = complete(shards, half, out)
    said = "\n".join(result.missing)
    assert "speaker02: no neutral mesh added" in said
    assert "speaker01/sentence02: no audio added" in said
    done = BlendVOCA(out)
    assert done.rig("speaker01").neutral.n_vertices == len(stand_in.kept)
    assert done["speaker01", "sentence01"].waveform is not None
    assert done["speaker01", "sentence02"].waveform is None
    assert {row["licence_class"] for row in done.table() if row["speaker"] == "speaker02"} == {"coefficients"}
    assert {row["licence_class"] for row in BlendVOCA(shards).table()} == {"coefficients"}, "the source stays"


def test_deltas_of_an_unknown_part_of_the_head(stand_in: Any, release: Path, tmp_path: Path) -> None:
    (release / "FLAME_head_idx.txt").unlink()
    import_release(release, tmp_path / "out")
    result = complete(tmp_path / "out", stand_in.corpus)
    assert "--crop FLAME_head_idx.txt" in result.missing[0]


def test_commands(release: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    result = CliRunner().invoke(main, ["import-release", str(release), "--out", out])
    assert result.exit_code == 0, result.output
    assert "speaker01" in result.output
    result = CliRunner().invoke(main, ["complete", out, "--vocaset", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "nothing is here" in result.output


def test_python_2_residuals(release: Path, tmp_path: Path) -> None:
    residuals = {"speaker01": {name: np.ones((4, 3)) for name in BLENDVOCA_NAMES}}
    buffer = io.BytesIO()
    pickle.Pickler(buffer, protocol=2, fix_imports=True).dump(residuals)
    (release / "blendshape_residuals.pickle").write_bytes(buffer.getvalue())
    import_release(release, tmp_path / "out")
    deltas = BlendVOCA(tmp_path / "out").parts("speaker01").deltas
    assert deltas is not None
    assert (deltas == 1).all()
