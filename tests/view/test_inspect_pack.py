"""What the page is made of: packed arrays read back, names escaped, choices and their errors."""

from __future__ import annotations

import base64
import json
import re
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from inspect_builders import PATCHES, ball_rig, ramp, talking_balls, tone
from view_builders import ball

from blendvoca.cli import main
from blendvoca.errors import ConfigurationError, InputError, LicenceError, MeshError, MissingInputError, RigError
from blendvoca.io.mesh.ply_write import write_ply, write_ply_frames
from blendvoca.io.sound.wav import write_wav
from blendvoca.io.track.csv import write_track
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.rig_file import write_rig
from blendvoca.track import CoefficientTrack
from blendvoca.view.cap import cap
from blendvoca.view.inspect import Choice, gather, render_page
from blendvoca.view.inspect.figures import difference, fit_errors
from blendvoca.view.inspect.pack import Packed, framing, mu_law, pack, pack_rig, pack_sound
from blendvoca.view.look.eyes import eyeballs
from blendvoca.view.look.occlusion import occlusion

KINDS = {"u1": np.uint8, "i1": np.int8, "u2": np.uint16, "i2": np.int16, "u4": np.uint32}


def unpack(packed: Packed) -> dict[str, np.ndarray]:
    """Read a block back, byte by byte as its description says."""
    content, offset, found = zlib.decompress(base64.b64decode(packed.text)), 0, {}
    for name, kind, count in packed.facts["sections"]:
        width = np.dtype(KINDS[kind]).itemsize
        planes = np.frombuffer(content, np.uint8, count * width, offset).reshape(width, count)
        value = sum(planes[byte].astype(np.uint64) << np.uint64(8 * byte) for byte in range(width))
        found[name] = np.asarray(value).astype(KINDS[kind])
        offset += count * width
    assert offset == len(content)
    return found


def meta(page: str) -> dict:
    return json.loads(re.search(r'id="meta">(.*?)</script>', page, re.S)[1])


def test_numbers_come_back():
    rng = np.random.default_rng(0)
    sections = {
        "a": rng.integers(-32768, 32767, 101).astype(np.int16), "b": rng.integers(0, 2**32 - 1, 7).astype(np.uint32),
        "c": rng.integers(0, 255, 33).astype(np.uint8), "none": np.zeros(0, np.uint16),
    }  # fmt: skip
    found = unpack(pack(sections, extra=1))
    assert all(np.array_equal(found[name], values) for name, values in sections.items())


def test_a_rig_comes_back_within_a_step():
    rig = ball_rig()
    packed = pack_rig(rig)
    parts, facts = unpack(packed), packed.facts
    positions = np.array(facts["origin"]) + parts["positions"].reshape(-1, 3) * facts["position_step"]
    assert np.abs(positions - rig.neutral.vertices).max() < 2e-6
    assert np.array_equal(parts["faces"].reshape(-1, 3), rig.neutral.faces)
    masks = np.unpackbits(parts["masks"].reshape(len(rig.names), -1), axis=1)[:, : rig.neutral.n_vertices].astype(bool)
    start = 0
    for shape, delta in enumerate(rig.deltas):
        count = int(masks[shape].sum())
        assert 0 < count < 0.2 * rig.neutral.n_vertices
        moved = parts["values"][start : start + 3 * count].reshape(3, count).T * facts["steps"][shape]
        start += 3 * count
        back = np.zeros_like(delta)
        back[masks[shape]] = moved
        assert np.abs(back - delta).max() < 3e-6
    assert start == len(parts["values"])
    partners = {name: facts["partners"][place] for place, name in enumerate(rig.names)}
    assert rig.names[partners["mouthSmileLeft"]] == "mouthSmileRight"
    assert partners["jawLeft"] == partners["jawOpen"] == -1
    groups = {group["name"]: [rig.names[shape] for shape in group["shapes"]] for group in facts["groups"]}
    assert groups["jaw"] == ["jawLeft", "jawRight", "jawOpen"] and groups["eye"] == ["eyeBlinkLeft", "eyeBlinkRight"]


def test_mu_law_is_the_standards():
    # ITU-T G.711: the ends, the smallest steps and silence.
    values = np.array([32124, 132 - 124, 0, -8, -32124]) / 32768
    assert mu_law(values).tolist() == [0x80, 0xFE, 0xFF, 0x7E, 0x00]
    inverted = ~mu_law(np.linspace(-0.95, 0.95, 999)).astype(int) & 255
    magnitude = (((inverted & 15) << 3) + 132 << (inverted >> 4 & 7)) - 132
    decoded = np.where(inverted & 128, -magnitude, magnitude) / 32768
    error = np.abs(decoded - np.linspace(-0.95, 0.95, 999))
    assert (error <= np.maximum(0.035 * np.abs(np.linspace(-0.95, 0.95, 999)), 3e-4)).all()


def test_sound_lasts_as_long_as_the_motion():
    for seconds in (0.5, 1.0, 2.0):
        assert len(unpack(pack_sound(tone(1.0), seconds))["samples"]) == 16_000 * seconds


def test_light_eyes_and_cap():
    mesh = ball()
    assert occlusion(mesh).min() > 0.8
    shells = np.concatenate([mesh.faces, mesh.faces + mesh.n_vertices])
    inner = Mesh(np.concatenate([mesh.vertices, 0.8 * mesh.vertices]), shells)
    assert np.median(occlusion(inner)[mesh.n_vertices :]) < 0.1
    assert np.array_equal(occlusion(inner), occlusion(inner))
    eye = 0.12 * mesh.vertices
    parts = [mesh.vertices, eye + np.array([0.35, 0.3, 0.8]), eye + np.array([-0.35, 0.3, 0.8])]
    faces = np.concatenate([mesh.faces + shift * mesh.n_vertices for shift in range(3)])
    found = eyeballs(Mesh(np.concatenate(parts), faces))
    assert found[: mesh.n_vertices].any() == False and (found[mesh.n_vertices :, 3] == 1).all()  # noqa: E712
    assert np.allclose(found[mesh.n_vertices : 2 * mesh.n_vertices, :3], mesh.vertices, atol=0.02)
    assert not eyeballs(mesh).any()
    # A cornea around each eye belongs to it; lashes before it do not.
    cornea = [part * 1.0 for part in parts] + [0.132 * mesh.vertices + np.array([x, 0.3, 0.805]) for x in (0.35, -0.35)]
    lash = 0.05 * mesh.vertices * [3.0, 0.3, 0.3] + np.array([0.35, 0.36, 0.95])
    faces = np.concatenate([mesh.faces + shift * mesh.n_vertices for shift in range(6)])
    found = eyeballs(Mesh(np.concatenate([*cornea, lash]), faces)).reshape(6, -1, 4)[..., 3].mean(axis=1)
    assert found.tolist() == [0, 1, 1, 1, 1, 0]
    ring = {int(vertex) for vertex in cap(mesh).ravel()}
    assert len(ring) == 48 and len(cap(mesh)) == 46


def test_a_bust_is_not_framed():
    rig = ball_rig()
    tall = np.vstack([rig.neutral.vertices, [[0, -5, 0], [1, -5, 0], [0, -5, 1]]])
    count = rig.neutral.n_vertices
    deltas = np.concatenate([rig.deltas, np.zeros((len(rig.names), 3, 3))], axis=1)
    bust = BlendshapeRig(Mesh(tall, np.vstack([rig.neutral.faces, [[count, count + 1, count + 2]]])), deltas, rig.names)
    assert framing(bust) == framing(rig)
    assert framing(rig)["half"][1] == pytest.approx(0.1, rel=0.02)


def test_figures_of_two_tracks_and_of_a_fit():
    rig, track = ball_rig(), ramp(30)
    pushed = np.array(track.values)
    pushed[:, 2] = np.clip(pushed[:, 2] - 0.1, 0, 1)
    found = difference(rig, track, CoefficientTrack(pushed, track.names, 60.0), "other")
    apart = np.linalg.norm(rig.pose(track.values) - rig.pose(pushed), axis=2)
    assert found.mean_mm == pytest.approx(1000 * apart.mean(), rel=1e-4)
    assert found.max_mm == pytest.approx(1000 * apart.max(), rel=1e-4)
    from blendvoca.sequence import MeshSequence

    noise = 1e-3 * np.random.default_rng(1).normal(size=(30, *rig.neutral.vertices.shape))
    sequence = MeshSequence.from_array(rig.pose(track.values) + noise, rig.neutral.faces, 60.0)
    errors = fit_errors(rig, None, track, sequence)
    assert np.allclose(errors.vertex_mean_mm, 1000 * np.linalg.norm(noise, axis=2).mean(axis=0), rtol=1e-5)
    with pytest.raises(MeshError, match="another length"):
        fit_errors(rig, None, ramp(29), sequence)


def test_what_is_chosen(tmp_path):
    talking_balls(tmp_path, ("anna", "bert"), ("five", "four", "one", "three", "two"))
    everyone = gather(tmp_path, Choice())
    assert [(s.name, len(s.clips), s.n_clips) for s in everyone.speakers] == [("anna", 3, 5), ("bert", 3, 5)]
    assert len(everyone.fit_errors_mm) == 10
    alone = gather(tmp_path, Choice(speakers=("bert",)))
    assert [clip.name for clip in alone.speakers[0].clips] == ["five", "four", "one", "three", "two"]
    one = gather(tmp_path / "anna.h5", Choice(clips=("one",), tracks=(("x", ramp()), ("x", ramp()))))
    assert [label for label, _ in one.speakers[0].clips[0].tracks] == ["dataset", "x", "x (2)"]
    assert one.speakers[0].clips[0].differences[0].label == "x"


def test_bad_choices_name_the_nearest(tmp_path):
    talking_balls(tmp_path / "shards")
    folder = tmp_path / "shards"
    with pytest.raises(MissingInputError, match=r"no 'ana' \(did you mean 'anna'"):
        gather(folder, Choice(speakers=("ana",)))
    with pytest.raises(MissingInputError, match="did you mean 'two'"):
        gather(folder, Choice(speakers=("anna",), clips=("tow",)))
    with pytest.raises(MissingInputError, match="did you mean 'two'"):
        gather(folder, Choice(clips=("tow",)))
    with pytest.raises(ConfigurationError, match="--speaker and --clip"):
        gather(folder, Choice(tracks=(("sample", ramp()),)))
    odd = CoefficientTrack(np.full((10, 2), 0.5), ("jawOpen", "mouthSmileLeftt"), 60.0)
    chosen = Choice(speakers=("anna",), clips=("one",), tracks=(("sample", odd),))
    with pytest.raises(RigError, match=r"mouthSmileLeftt \(did you mean 'mouthSmileLeft'"):
        gather(folder, chosen)
    with pytest.raises(ConfigurationError, match="3 at most, found 4"):
        gather(folder, Choice(("anna",), ("one",), (("sample", ramp()),) * 4))
    silent = CoefficientTrack(odd.values * [1, 0], odd.names, 60.0)
    assert gather(folder, Choice(("anna",), ("one",), (("sample", silent),))).speakers[0].notes == ()
    left = gather(folder, Choice(("anna",), ("one",), (("sample", odd),), drop_missing=True))
    assert any("mouthSmileLeftt" in note for note in left.speakers[0].clips[0].notes)
    with pytest.raises(MissingInputError, match="nothing is here"):
        gather(tmp_path / "nowhere", Choice())
    write_rig(tmp_path / "rig.h5", ball_rig(), "open")
    with pytest.raises(InputError, match="a rig, without speakers"):
        gather(tmp_path / "rig.h5", Choice(speakers=("anna",)))
    flat = BlendshapeRig(Mesh(ball().vertices, ball().faces[:0]), ball_rig().deltas, tuple(PATCHES))
    with pytest.raises(RigError, match="no triangles"):
        pack_rig(flat)


def test_licence_classes_have_their_fallbacks(tmp_path):
    talking_balls(tmp_path / "bare", ("anna",), licence="coefficients", audio=False)
    with pytest.raises(LicenceError):
        gather(tmp_path / "bare", Choice())
    speaker = gather(tmp_path / "bare", Choice(), lambda: (ball_rig(), None)).speakers[0]
    assert "shown on the sample head" in speaker.notes[0]
    assert "No sound is stored" in speaker.clips[0].notes[0]
    assert gather(tmp_path / "bare", Choice(rig=ball_rig())).speakers[0].notes[0].startswith("Shown on another head")
    talking_balls(tmp_path / "bound", ("anna",), licence="restricted")
    assert "may not be passed on" in gather(tmp_path / "bound", Choice()).speakers[0].notes[0]


def test_names_are_data_and_nothing_is_fetched(tmp_path):
    write_rig(tmp_path / "rig.h5", ball_rig(), "open")
    label = "</script><img src=x onerror=alert(1)>{{SCRIPT}}"
    page = render_page(gather(tmp_path / "rig.h5", Choice(tracks=((label, ramp()),))))
    assert "<img" not in page and page.count("</html>") == 1
    assert meta(page)["speakers"][0]["clips"][0]["tracks"][0]["label"] == label
    assert page == render_page(gather(tmp_path / "rig.h5", Choice(tracks=((label, ramp()),))))
    outside = re.findall(r"https?://[^\"' )]+", page)
    assert set(outside) <= {"http://www.w3.org/2000/svg"}  # a name space, not an address


def test_the_command(tmp_path, monkeypatch):
    talking_balls(tmp_path / "shards")
    write_track(tmp_path / "sample.csv", ramp(60))
    corpus = tmp_path / "corpus"
    for speaker in ("anna", "bert"):
        (corpus / "templates").mkdir(parents=True, exist_ok=True)
        write_ply(corpus / "templates" / f"{speaker}.ply", ball_rig().neutral)
        write_ply_frames(corpus / "unposedcleaneddata" / speaker / "one", ball_rig().pose(ramp().values), ball().faces)
        (corpus / "audio" / speaker).mkdir(parents=True)
        write_wav(corpus / "audio" / speaker / "one.wav", tone(2.0))
    out = tmp_path / "page.html"
    common = ["inspect", str(tmp_path / "shards"), "--speaker", "anna", "--clip", "one", "--out", str(out)]
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    beside = ["--track", str(tmp_path / "sample.csv"), "--corpus", str(corpus), "--open"]
    run = CliRunner().invoke(main, [*common, *beside])
    assert run.exit_code == 0, run.output
    assert opened == [out.as_uri()]
    assert "1 head, 1 clip," in run.output
    facts = meta(out.read_text())["speakers"][0]["clips"][0]
    assert [track["label"] for track in facts["tracks"]] == ["dataset", "sample"]
    assert facts["error_max"]["full"] < 1e-3  # frames and fit are one, but for rounding
    other = CliRunner().invoke(main, [*common, "--track", f"{tmp_path / 'shards' / 'bert.h5'}:two"])
    assert other.exit_code == 0, other.output
    facts = meta(out.read_text())["speakers"][0]["clips"][0]
    assert [track["label"] for track in facts["tracks"]] == ["dataset", "two"]
    unknown = CliRunner().invoke(main, [*common[:-1], str(tmp_path / "page.png")])
    assert unknown.exit_code == 1
    assert "unknown kind of output; expected a name that ends in .html" in unknown.output
    bad = CliRunner().invoke(main, [*common[:3], "ana", *common[4:]])
    assert bad.exit_code == 1 and "did you mean 'anna'" in bad.output
