"""The fit's QP solved slowly and obviously: every matrix dense and written as in the paper's supplement 8.

The primal active-set method of the textbooks (Nocedal, Wright, Alg. 16.3): start feasible, minimise on the working set
with a dense KKT solve, add the constraint that blocks, drop the one with the most negative multiplier. It shares no
line and no idea with the solver under test.
"""

from __future__ import annotations

import numpy as np


def stacked(gram, linear, rate_limit, lower, upper):
    """Return P, q, G, h of: minimise ½xᵀPx + qᵀx subject to Gx ≤ h (supplement Eq. 12); infinite rows left out."""
    n, k = linear.shape
    quadratic = np.zeros((n * k, n * k))
    for frame in range(n):
        quadratic[frame * k : (frame + 1) * k, frame * k : (frame + 1) * k] = gram
    eye = np.eye(n * k)
    step = np.array([eye[(frame + 1) * k + j] - eye[frame * k + j] for frame in range(n - 1) for j in range(k)])
    step = step.reshape(-1, n * k)
    limit = np.array([rate_limit[j] for frame in range(n - 1) for j in range(k)])
    rows = np.vstack([eye, -eye, step, -step])
    sides = np.concatenate([np.tile(upper, n), -np.tile(lower, n), limit, limit])
    finite = np.isfinite(sides)
    return quadratic, linear.ravel(), rows[finite], sides[finite]


def solve_dense(gram, linear, rate_limit=0.1, lower=0.0, upper=1.0, max_changes=5000):
    """Return the optimal coefficients (N, K) for a positive definite Gram matrix."""
    n, k = linear.shape
    rate_limit, lower, upper = (np.broadcast_to(np.asarray(a, float), (k,)) for a in (rate_limit, lower, upper))
    p, q, g, h = stacked(gram, linear, rate_limit, lower, upper)
    x = np.tile((lower + upper) / 2, n)
    working: list[int] = []
    for _ in range(max_changes):
        a = g[working]
        m = len(working)
        kkt = np.block([[p, a.T], [a, np.zeros((m, m))]])
        answer = np.linalg.lstsq(kkt, np.concatenate([-(p @ x + q), np.zeros(m)]), rcond=1e-13)[0]
        direction, multipliers = answer[: n * k], answer[n * k :]
        if np.abs(direction).max() < 1e-11:
            if m == 0 or multipliers.min() >= -1e-11 * np.abs(q).max():
                return x.reshape(n, k)
            working.pop(int(np.argmin(multipliers)))
            continue
        slope = g @ direction
        blocking = [i for i in range(len(h)) if i not in working and slope[i] > 1e-12]
        room = [max(h[i] - g[i] @ x, 0.0) / slope[i] for i in blocking]
        length = min([1.0, *room])
        x = x + length * direction
        if length < 1.0:
            working.append(blocking[int(np.argmin(room))])
    raise RuntimeError("the reference did not finish")
