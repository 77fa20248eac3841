"""What may run on a GPU runs on a device that refuses to be mixed with the CPU; see reference.accelerator."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch.utils.backend_registration as registration

SCRIPT = Path(__file__).resolve().parent.parent / "reference" / "on_accelerator.py"


@pytest.mark.skipif(
    not hasattr(registration, "_setup_privateuseone_for_python_backend"), reason="this torch lends no device"
)
def test_nothing_is_left_on_the_cpu():
    run = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    found = json.loads(run.stdout.splitlines()[-1])
    assert found.pop("mixing is refused") is True
    # No step transfers anything or waits for a value, in training and in sampling.
    asked = found.pop("asked")
    assert asked.keys() >= {"training", "dpm", "said-ddim"}
    assert not any(count for counts in asked.values() for count in counts.values()), asked
    assert {"drawing in float32", "drawing in bfloat16", "training", "fine-tuning", "VAE", "sync expert"} <= set(found)
    bounds = {name: 0.05 if "bfloat16" in name else 1e-4 for name in found}
    assert {name: value for name, value in found.items() if not value <= bounds[name]} == {}
