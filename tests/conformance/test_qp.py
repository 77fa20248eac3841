"""Our solver reproduces ``qp.npz``: objectives, coefficients and feasibility of problems solved elsewhere."""

import numpy as np
import pytest

from blendvoca.qp import RateLimitedQP, solve


@pytest.fixture(scope="module")
def table(conformance):
    path = conformance / "qp.npz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return dict(np.load(path, allow_pickle=False))


def test_qp_conformance(table):
    basis, neutral = table["basis"].astype(float), table["neutral"].astype(float)
    numbers = sorted(int(name.split("_")[1]) for name in table if name.startswith("frames_"))
    assert numbers, "the file holds no problem"
    for i in numbers:
        linear = (neutral - table[f"frames_{i}"].astype(float)) @ basis
        delta = float(table[f"delta_{i}"])
        result = solve(RateLimitedQP(basis.T @ basis, linear, delta))
        u, objective = result.coefficients, float(table[f"objective_{i}"])
        assert result.status == "optimal"
        assert u.min() >= -1e-9
        assert u.max() <= 1 + 1e-9
        assert np.abs(np.diff(u, axis=0)).max(initial=0) <= delta + 1e-9
        assert abs(result.objective - objective) <= 1e-8 * abs(objective)
        assert np.abs(u - table[f"coefficients_{i}"]).max() <= 2e-5
        assert result.relative_gap <= 1e-9
