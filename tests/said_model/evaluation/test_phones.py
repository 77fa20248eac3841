"""Lips at phones: figures against the ruler that measures from outside, and against motions that are known."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from blendvoca.errors import InputError, MissingInputError
from blendvoca.io.phones import read_phones
from blendvoca.phones import Phone, PhoneTrack
from blendvoca.track import CoefficientTrack
from said_model.cli import main
from said_model.evaluation.metrics.phone_figures import phone_figures, phone_openings

ASSETS = Path(os.environ.get("BLENDVOCA_ASSETS", Path(__file__).resolve().parents[3] / ".." / "shared" / "assets"))
RULER = ASSETS.parent / "tools" / "voices.py"
FPS = 60
TRACK = PhoneTrack(
    tuple(
        Phone(label, start, end)
        for label, start, end in [
            ("SIL", 0.0, 0.6), ("M", 0.6, 0.7), ("AA1", 0.7, 0.95), ("P", 0.95, 1.05), ("IY", 1.05, 1.2),
            ("sp", 1.2, 2.0),
        ]
    )
)  # fmt: skip


def motion(wide: float = 10.0) -> np.ndarray:
    """Open at the vowel, closed elsewhere."""
    opening = np.zeros(120)
    opening[int(0.72 * FPS) : int(0.93 * FPS)] = wide
    return opening


def test_a_mouth_that_does_what_is_asked():
    found = phone_figures([phone_openings(motion(), FPS, TRACK)])
    assert (found.bilabials, found.closed, found.opening, found.auc) == (2, 1.0, 10.0, 1.0)
    assert found.pause == found.pause_p90 == 0.0
    assert found.lag == pytest.approx(-0.0125) and found.timely == 0.0  # 83 ms early, 58 ms late
    assert np.isnan(found.still)


def test_a_mouth_that_never_moves_closes_everywhere_and_gains_nothing():
    found = phone_figures([phone_openings(np.zeros(120), FPS, TRACK)])
    assert found.closed == found.control == 1.0 and found.auc == 0.5


def test_a_late_mouth_is_late():
    opening = np.full(120, 8.0)
    for middle in (0.65, 1.0):
        opening[round((middle + 0.1) * FPS) - 1 : round((middle + 0.1) * FPS) + 2] = 0.0
    late = phone_figures([phone_openings(opening, FPS, TRACK)])
    assert late.lag == pytest.approx(0.1, abs=0.01) and late.timely == 0


def test_closures_in_time_are_counted():
    opening = np.full(120, 8.0)
    for middle, late in ((0.65, 0.0), (1.0, 0.06)):
        opening[round((middle + late) * FPS) - 1 : round((middle + late) * FPS) + 2] = 0.0
    assert phone_figures([phone_openings(opening, FPS, TRACK)]).timely == 0.5


def test_nothing_is_measured_from_nothing():
    silence = PhoneTrack(())
    found = phone_figures([phone_openings(np.full(60, 2.5), FPS, silence)])
    assert found.still == 2.5 and found.bilabials == 0
    assert np.isnan([found.closed, found.control, found.opening, found.auc, found.pause]).all()


def test_phones_of_another_recording():
    with pytest.raises(InputError, match="end after the motion"):
        phone_openings(np.zeros(60), FPS, TRACK)


@pytest.mark.skipif(not RULER.is_file(), reason="the ruler lies beside the assets; set BLENDVOCA_ASSETS")
def test_it_agrees_with_the_ruler_from_outside():
    spec = importlib.util.spec_from_file_location("voices", RULER)
    ruler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ruler)
    phones = {name: track for name, track in read_phones(ASSETS / "voices" / "phones.json").items() if track.phones}
    stated = json.loads((ASSETS / "voices" / "phones.json").read_text())
    rng, parts, theirs = np.random.default_rng(0), [], []
    for name, track in phones.items():
        opening = np.abs(np.cumsum(rng.standard_normal(int(track.duration * FPS) + 5))) % 7
        parts.append(phone_openings(opening, FPS, track))
        entry = next(value for key, value in stated.items() if Path(key).stem == name)
        theirs.append(ruler.measure(opening, entry["phones"]))
    closed, widest, middle, rest = (np.concatenate([part[i] for part in theirs]) for i in range(4))
    found = phone_figures(parts)
    assert found.bilabials == len(closed)
    assert found.closed == pytest.approx((closed < 1).mean())
    assert found.opening == pytest.approx(np.median(widest))
    assert found.auc == pytest.approx(
        (middle[:, None] > closed[None]).mean() + 0.5 * (middle[:, None] == closed[None]).mean()
    )
    assert found.pause == pytest.approx(np.median(rest))
    assert found.pause_p90 == pytest.approx(np.percentile(rest, 90))


def test_the_command(tmp_path):
    (tmp_path / "tracks").mkdir()
    jaw = motion()[:, None] / 40
    CoefficientTrack(jaw, ("jawOpen",), FPS).to_csv(tmp_path / "tracks" / "a.csv")
    (tmp_path / "p.json").write_text(
        json.dumps({"a.wav": {"phones": [[p.label, p.start, p.end] for p in TRACK.phones]}, "b.wav": {"phones": []}})
    )
    run = ["evaluate", str(tmp_path / "tracks"), "--phones", str(tmp_path / "p.json"), "--rig", "synthetic"]
    done = CliRunner().invoke(main, [*run, "--json", str(tmp_path / "out.json")])
    assert done.exit_code == 0, done.output
    assert "no track for 1 of 2 recordings" in done.output
    figures = json.loads((tmp_path / "out.json").read_text())["all"]
    assert figures["closed"] == 1.0 and figures["opening"] > 3 and figures["still"] is None
    assert CliRunner().invoke(main, ["evaluate", str(tmp_path / "tracks")]).exit_code == 2
    (tmp_path / "p.json").write_text('{"c": {"phones": []}}')
    assert "no track has phone times" in CliRunner().invoke(main, run).output


@pytest.mark.skipif(not (ASSETS / "voices").is_dir(), reason="recorded voices lie in the assets; set BLENDVOCA_ASSETS")
def test_the_aligner_finds_the_phones_of_a_recording(tmp_path):
    pytest.importorskip("pocketsphinx", reason="pip install 'blendvoca[align]'")
    from blendvoca.io.sound.wav import read_resampled
    from said_model.evaluation.align import align

    stated = json.loads((ASSETS / "voices" / "phones.json").read_text())["arctic_a0024.flac"]
    waveform, _ = read_resampled(ASSETS / "voices" / "arctic_a0024.flac", 16_000)
    found = align(waveform, stated["text"])
    bilabials = [(s + e) / 2 for label, s, e in stated["phones"] if label in "PBM"]
    assert [(p.start + p.end) / 2 for p in found.closures()] == pytest.approx(bilabials, abs=0.05)
    with pytest.raises(InputError, match="does not know"):
        align(waveform, "xqzzt")
    with pytest.raises(InputError, match="no words"):
        align(waveform, "!?")
    with pytest.raises(MissingInputError):
        read_phones(tmp_path)
