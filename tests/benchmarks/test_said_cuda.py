"""The GPU benchmark runs from end to end, small and on the CPU: a lent GPU must not meet a typing error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("accelerate")
import shard_builders

SCRIPT = Path(__file__).resolve().parent.parent.parent / "benchmarks" / "said_cuda.py"


@pytest.mark.slow
def test_every_measurement_runs(tmp_path):
    shard_builders.dataset(tmp_path / "shards", frames=40, sentences=1)
    words = ["--device", "cpu", "--quick", "--shards", tmp_path / "shards", "--out", tmp_path / "results.json"]
    done = subprocess.run([sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "results.json").read_text())
    assert not [name for name, value in found.items() if isinstance(value, str)], found
    assert found["training eager float32"]["recipe_hours"] > 0
    assert sum(name.startswith("sampling") for name in found) == 3
    assert found["time to loss"]["validation"] > 0
