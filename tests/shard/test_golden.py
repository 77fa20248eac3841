"""A shard written by release 0.1.0 in format 1.0: every later release reads it, and format 1.x still means the same.

``tests/golden/shard-1.0.h5`` was made from ``shard_builders`` with ``numpy.random.default_rng(0)``: two clips of four
frames, a rig of six vertices. It is never written again; a new minor version gets a file of its own.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import shard_builders as build

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.shard.digest import content_digest
from blendvoca.shard.reader import open_shard
from blendvoca.shard.schema import LicenceClass
from blendvoca.shard.verify import verify
from blendvoca.shard.writer import write_shard

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "shard-1.0.h5"


def test_it_reads_as_it_was_written() -> None:
    shard = open_shard(GOLDEN)
    assert (shard.version, shard.speaker, shard.licence_class) == ("1.0", "golden", LicenceClass.OPEN)
    assert (shard.names, shard.sentences) == (BLENDVOCA_NAMES, ("sentence01", "sentence02"))
    rng = np.random.default_rng(0)
    for sentence in shard.sentences:
        expected, found = build.clip(rng, "golden", sentence, 4), shard.clip(sentence)
        np.testing.assert_allclose(found.track.values, expected.track.values, atol=1e-7)
        assert found.certificate == expected.certificate
        assert found.provenance == expected.provenance
        assert found.waveform is not None
        assert expected.waveform is not None
        np.testing.assert_array_equal(found.waveform.to_int16(), expected.waveform.to_int16())
    np.testing.assert_allclose(shard.rig().deltas, build.rig(rng, 6).deltas, atol=1e-9)
    # Written down by hand, in case the builders ever change with the reader.
    assert shard.clip("sentence01").track.values[3, :2].tolist() == [0.22328786551952362, 0.8846099972724915]
    assert shard.rig().neutral.faces.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_it_is_sound(tmp_path: Path) -> None:
    copy = tmp_path / "golden.h5"
    copy.write_bytes(GOLDEN.read_bytes())
    assert verify(copy) == []


def test_the_writer_still_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same content gets the same digest, whatever the compression library of the day."""
    shard = open_shard(GOLDEN)
    monkeypatch.setattr("blendvoca.shard.writer.__version__", shard.tool_version)
    path = tmp_path / "golden.h5"
    write_shard(path, "golden", shard.clips(), shard.parts(), shard.licence_class, sources=shard.sources)
    with h5py.File(path) as file:
        assert content_digest(file) == "933615dd029430bdf0c7ba2b4b01fa79c4486af97ae85418f3a00a93dcd18f14"
