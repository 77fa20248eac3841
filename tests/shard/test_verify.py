"""``verify`` says everything that is wrong, and nothing when all is well."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import shard_builders as build
from click.testing import CliRunner

from blendvoca.cli import main
from blendvoca.clip import Clip
from blendvoca.errors import FormatError
from blendvoca.shard.digest import content_digest
from blendvoca.shard.manifest import write_manifest
from blendvoca.shard.reader import open_shard
from blendvoca.shard.verify import verify, verify_shard
from blendvoca.shard.writer import write_shard
from blendvoca.track import CoefficientTrack


def _said(path: Path) -> str:
    return "\n".join(map(str, verify(path)))


def _edit(path: Path, change: Callable[[h5py.File], object]) -> None:
    """Change a shard the way a careful forger would: with a digest that fits."""
    with h5py.File(path, "r+", libver=("v110", "v110")) as file:
        change(file)
        file.attrs["content_sha256"] = np.bytes_(content_digest(file).encode())


def _values(path: Path) -> list[object]:
    """Everything that a reader can get out of a shard."""
    shard = open_shard(path)
    rig = shard.rig()
    found: list[object] = [shard.speaker, shard.licence_class, shard.sources, rig.names, rig.deltas.tobytes()]
    found += [rig.neutral.vertices.tobytes(), rig.neutral.faces.tobytes()]
    for clip in shard.clips():
        assert clip.waveform is not None
        found += [clip.sentence, clip.track.values.tobytes(), clip.track.fps, clip.waveform.samples.tobytes()]
        found += [clip.waveform.rate, clip.certificate, dict(clip.provenance)]
    return found


def test_all_is_well(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    assert verify(tmp_path) == []
    assert verify(tmp_path / "bob.h5") == []
    result = CliRunner().invoke(main, ["verify", str(tmp_path)])
    assert (result.exit_code, result.output) == (0, f"{tmp_path}: all is well\n")


def test_a_line_a_problem_and_an_exit_code(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    (tmp_path / "bob.h5").unlink()
    build.shard(tmp_path, "dave")
    result = CliRunner().invoke(main, ["verify", str(tmp_path)])
    assert result.exit_code == 1
    assert "bob.h5: the manifest lists a file that is not here" in result.output
    assert "dave.h5: not listed in the manifest" in result.output
    assert "2 problems" in result.output
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "none")]).exit_code == 1


def test_folder_without_or_with_a_broken_manifest(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    assert "manifest.json: the manifest breaks its format" in _said(tmp_path)
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "bob.h5").write_bytes(b"?")
    assert "no manifest here" in _said(tmp_path)
    assert "bob.h5: the shard is damaged" in _said(tmp_path)


def test_exchanged_shards(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    alice, bob = (tmp_path / f"{name}.h5" for name in ("alice", "bob"))
    one, two = alice.read_bytes(), bob.read_bytes()
    alice.write_bytes(two)
    bob.write_bytes(one)
    said = _said(tmp_path)
    assert "SHA-256" in said or "size differs" in said
    assert "alice.h5: the file is of speaker bob" in said
    assert "speaker is bob, the manifest says alice" in said


def test_a_manifest_that_describes_other_clips(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"frames": 31', '"frames": 30', 1).replace("sentence03", "sentence04", 1))
    said = _said(tmp_path)
    assert "clips/sentence01: the manifest describes another clip" in said
    assert "clips/sentence04: listed in the manifest, not here" in said


def test_splits(tmp_path: Path) -> None:
    build.dataset(tmp_path, ("FaceTalk_170725_00137_TA", "bob"), sentences=1)
    write_manifest(tmp_path, {"FaceTalk_170725_00137_TA": "test"})
    assert "is in split test, VOCASET's is train" in _said(tmp_path)
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"speaker": "bob"', '"speaker": "FaceTalk_170725_00137_TA"'))
    assert "names another file than its speaker's" in _said(tmp_path)
    (tmp_path / "manifest.json").write_text(
        text.replace('"speaker": "bob"', '"speaker": "FACETALK_170725_00137_TA"').replace(
            '"bob.h5"', '"FACETALK_170725_00137_TA.h5"'
        )
    )
    assert "two speakers have one name, ignoring case" in _said(tmp_path)


def _restated(folder: Path, change: Callable[[dict], object]) -> str:
    stated = json.loads((folder / "manifest.json").read_text())
    change(stated)
    (folder / "manifest.json").write_text(json.dumps(stated))
    return _said(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m["names"].reverse(), "names differ from those of"),
        (lambda m: m.update(names=[]), "names; expected a list"),
        (lambda m: m.update(names=m["names"][:1] * 2), "repeats blendshape names"),
        (lambda m: m.update(names="jawOpen"), "names; expected a list"),
        (lambda m: m["shards"][0]["clips"].append(m["shards"][0]["clips"][0]), "have one name"),
        (lambda m: m["counts"].update(clips=99), "counts is"),
        (lambda m: m["counts"].update(frames=1), "counts is"),
        (lambda m: m["splits"].update(test=["nobody"]), "splits is"),
        (lambda m: m.update(licence_class="coefficients"), "licence_class is"),
        (lambda m: m["shards"][0].update(speaker="../EVIL", file="../EVIL.h5"), "shards[0].speaker; expected"),
        (lambda m: m["shards"][0]["clips"][0].update(frames=10**30), "frames; expected a whole number"),
    ],
)
def test_every_field_of_the_manifest_is_compared(tmp_path: Path, change: Callable[[dict], object], said: str) -> None:
    build.dataset(tmp_path, ("alice", "bob"), sentences=2)
    assert said in _restated(tmp_path, change)


def test_links_are_refused_by_the_reader_itself(tmp_path: Path) -> None:
    build.dataset(tmp_path, ("alice",), sentences=1)
    path = tmp_path / "alice.h5"
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(4000))
    with h5py.File(path, "r+") as file:
        del file["clips/sentence01/audio"]
        stored = file.create_dataset("clips/sentence01/audio", (2000,), "<i2", external=[(str(secret), 0, 4000)])
        stored.attrs["rate"] = 16_000
        file["clips/sentence02"] = h5py.ExternalLink("other.h5", "/clips/sentence01")
    with pytest.raises(FormatError, match="stored in another file"):
        open_shard(path).clip("sentence01")
    with pytest.raises(FormatError, match="leads elsewhere"):
        open_shard(path).clip("sentence02")


def test_groups_in_a_circle_end(tmp_path: Path) -> None:
    build.dataset(tmp_path, ("alice",), sentences=1)
    path = tmp_path / "alice.h5"
    with h5py.File(path, "r+") as file:
        file["clips/sentence01/again"] = file["clips"]
    assert "clips/sentence01/again: a link" in _said(path)


def test_bad_tracks_and_certificates(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    jumps = np.zeros((30, 32))
    jumps[10] = 0.1001
    names = build.track(rng, 1).names
    good = build.clip(rng, "alice", "s0")
    clips = [
        Clip("alice", "s1", CoefficientTrack(jumps, names, 60), None, build.certificate()),
        Clip("alice", "s2", good.track, None, build.certificate(status="iteration limit", duality_gap=1e-3)),
        Clip("alice", "s3", good.track, None, None),
        Clip("alice", "s4", CoefficientTrack(jumps, names, 60), None, None, {"origin": "capture"}),
        Clip("alice", "s5", CoefficientTrack(jumps * 3, names, 60), None, None, {"origin": "release"}),
        Clip("alice", "s6", CoefficientTrack(good.track.values[:4], names, 60), good.waveform, build.certificate()),
    ]
    lines = [problem.what for problem in verify(write_shard(tmp_path / "alice.h5", "alice", clips))]
    assert lines == [
        "clips/s1: a coefficient moves by 0.100100 between frames; the rate limit is 0.1",
        "clips/s2: fit certificate: status is 'iteration limit'",
        "clips/s2: fit certificate: relative duality gap 0.001 over 1e-09",
        "clips/s3: no fit certificate, and no provenance 'origin' that says where the track comes from",
        "clips/s5: a coefficient moves by 0.300300 between frames; the rate limit is 0.1",
        "clips/s6: audio lasts 0.50 s, motion 0.07 s",
    ]


def test_rounding_to_float32_is_no_problem(tmp_path: Path) -> None:
    ramp = np.clip(0.1 * np.arange(11), 0, 1)[:, None].repeat(32, axis=1)
    track = CoefficientTrack(ramp, build.track(np.random.default_rng(0), 1).names, 60)
    path = write_shard(tmp_path / "a.h5", "a", [Clip("a", "s1", track, None, build.certificate())])
    assert open_shard(path).clip("s1").track.max_step() > 0.1
    assert verify(path) == []


def test_rigs_in_the_wrong_unit(tmp_path: Path) -> None:
    path = build.shard(tmp_path)

    def millimetres(file: h5py.File) -> None:
        file["rig/deltas"][...] *= 1000

    _edit(path, millimetres)
    assert "metres were expected" in _said(path)


def _smuggle(file: h5py.File) -> None:
    options = {"chunks": (3,), "compression": "gzip", "fletcher32": True}
    file["clips/sentence01"].create_dataset("audio", data=np.zeros(3, np.int16), **options)
    file["clips/sentence01/audio"].attrs["rate"] = 22_000
    file["rig"].create_dataset("neutral", data=np.zeros((3, 3), np.float32), chunks=(3, 3), fletcher32=True)


def test_forbidden_parts(tmp_path: Path) -> None:
    path = build.shard(tmp_path, licence_class="coefficients")
    _edit(path, _smuggle)
    said = _said(path)
    assert "rig/neutral: not allowed in licence class coefficients" in said
    assert "clips/sentence01/audio: not allowed" in said


def test_links_that_lead_elsewhere(tmp_path: Path) -> None:
    path, other = build.shard(tmp_path), build.shard(tmp_path, "bob")
    with h5py.File(path, "r+") as file:
        file["clips/sentence01/copy"] = h5py.ExternalLink(str(other), "/clips/sentence01/coefficients")
        file["clips/sentence02/copy"] = h5py.SoftLink("/clips/sentence01/coefficients")
    said = _said(path)
    assert "clips/sentence01/copy: a link or storage that leads elsewhere" in said
    assert "clips/sentence02/copy: a link" in said


def test_a_file_that_claims_to_be_huge(tmp_path: Path) -> None:
    path = build.shard(tmp_path)
    with h5py.File(path, "r+") as file:
        del file["clips/sentence01/coefficients"]
        shape, options = (1 << 40, 32), {"compression": "gzip", "fletcher32": True}
        file["clips/sentence01"].create_dataset("coefficients", shape, np.float32, chunks=(64, 32), **options)
    assert "clips/sentence01/coefficients: claims more than a shard can hold" in _said(path)
    with pytest.raises(FormatError, match="too large"):
        open_shard(path).clip("sentence01")


def test_unprotected_data_and_other_content(tmp_path: Path) -> None:
    path = build.shard(tmp_path)
    with h5py.File(path, "r+") as file:
        file["clips/sentence01"]["note"] = np.arange(3)
        del file.attrs["sources"]
        file.attrs["sources"] = np.bytes_(b"{}")
    said = _said(path)
    assert "clips/sentence01/note: no Fletcher-32 checksum" in said
    assert "content differs from its digest" in said


def _flip(tmp_path: Path, positions: int | None) -> tuple[int, int]:
    """Flip single bytes of a small shard; return how many were noticed and how many changed nothing that is read."""
    rng = np.random.default_rng(0)
    path = write_shard(tmp_path / "a.h5", "a", [build.clip(rng, "a", "s1", 4)], build.rig(rng, 6), "open")
    content, before = path.read_bytes(), _values(path)
    where = np.arange(len(content)) if positions is None else rng.choice(len(content), positions, replace=False)
    noticed = 0
    for position in where:
        flipped = bytearray(content)
        flipped[position] ^= int(rng.integers(1, 256))
        path.write_bytes(flipped)
        if verify_shard(path):
            noticed += 1
        else:
            assert _values(path) == before, f"byte {position} of {len(content)} changed a value unnoticed"
    return noticed, len(where) - noticed


def test_flipped_bytes_are_noticed(tmp_path: Path) -> None:
    noticed, harmless = _flip(tmp_path, 400)
    assert noticed > 12 * harmless


@pytest.mark.slow
def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    noticed, harmless = _flip(tmp_path, None)
    assert noticed > 12 * harmless


def test_flips_in_a_listed_shard_are_always_noticed(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    path = tmp_path / "alice.h5"
    content = path.read_bytes()
    for position in np.linspace(0, len(content) - 1, 40).astype(int):
        flipped = bytearray(content)
        flipped[position] ^= 0x10
        path.write_bytes(flipped)
        assert verify(tmp_path), position
