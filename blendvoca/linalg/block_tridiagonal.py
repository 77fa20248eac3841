"""Block-tridiagonal matrices of one repeated block and diagonal coupling, factored as one band.

The matrices are ``A = I ⊗ G + diag(d) + Δᵀ diag(e) Δ``: N copies of a K×K block G, any diagonal on top, and the
coupling of neighbouring blocks through the difference operator ``(Δx)_n = x_{n+1} − x_n``. Ordered frame by frame such
a matrix has bandwidth exactly K, so LAPACK's banded Cholesky (``pbtrf``) factors it in N·K³ operations and fills
nothing that would not fill anyway. For K = 32 this is faster than one dense call a block, whose overhead dominates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lapack

from blendvoca.errors import InputError, SolverError

Array = NDArray[np.float64]


def difference_transpose(y: Array) -> Array:
    """Return ``Δᵀ y`` (N, K) for ``y`` (N−1, K)."""
    out = np.zeros((len(y) + 1, y.shape[1]))
    out[1:] += y
    out[:-1] -= y
    return out


@dataclass(frozen=True, eq=False)
class BandFactor:
    """The Cholesky factor of one such matrix.

    :param band: (K+1, N·K) lower band of the factor, as ``pbtrf`` leaves it.
    """

    band: Array
    n_blocks: int

    def solve(self, right: Array) -> Array:
        """Return x (N, K) of ``A x = right`` for ``right`` (N, K).

        :raises SolverError: if the right-hand side has another shape.
        """
        size = self.band.shape[1]
        if right.shape != (self.n_blocks, size // self.n_blocks):
            raise SolverError(
                "the right-hand side does not fit", expected=(self.n_blocks, size // self.n_blocks), found=right.shape
            )
        x, _ = lapack.dpbtrs(self.band, right.reshape(size), lower=1)
        return x.reshape(right.shape)


class RepeatedBlock:
    """The pattern ``I ⊗ G``: made once, factored for many diagonals and couplings.

    :param block: (K, K) symmetric G.
    :param n_blocks: N.
    :raises InputError: for a block that is not square, symmetric and finite, or for no blocks.
    """

    def __init__(self, block: ArrayLike, n_blocks: int) -> None:
        g = np.asarray(block, dtype=np.float64)
        if g.ndim != 2 or g.shape[0] != g.shape[1] or g.shape[0] == 0:
            raise InputError("a block must be a square matrix", found=g.shape)
        if not np.isfinite(g).all() or np.abs(g - g.T).max() > 1e-10 * np.abs(g).max():
            raise InputError("a block must be finite and symmetric")
        if n_blocks < 1:
            raise InputError("a block-tridiagonal matrix needs blocks", expected="at least one", found=n_blocks)
        self.block, self.n_blocks = g, n_blocks
        k = len(g)
        one = np.zeros((k, k + 1))  # row j: column j of the lower band, the diagonal first
        for offset in range(k):
            one[: k - offset, offset] = np.diagonal(g, -offset)
        self._template = np.broadcast_to(one, (n_blocks, k, k + 1))

    def factor(self, diagonal: Array, coupling: Array) -> BandFactor:
        """Factor ``I ⊗ G + diag(diagonal) + Δᵀ diag(coupling) Δ``.

        :param diagonal: (N, K) d.
        :param coupling: (N−1, K) e.
        :raises SolverError: if the matrix is not numerically positive definite.
        """
        band = self._template.copy(order="C")
        main = band[:, :, 0]
        main += diagonal
        main[1:] += coupling
        main[:-1] += coupling
        np.negative(coupling, out=band[:-1, :, -1])
        size = band.shape[0] * band.shape[1]
        lower, info = lapack.dpbtrf(band.reshape(size, -1).T, lower=1, overwrite_ab=1)
        if info != 0:
            k = self.block.shape[0]
            raise SolverError(
                "the matrix is not positive definite", found=f"a pivot at block {(info - 1) // k}, row {(info - 1) % k}"
            )
        return BandFactor(lower, self.n_blocks)

    def multiply(self, x: Array, diagonal: Array, coupling: Array) -> Array:
        """Return ``A x`` (N, K) for the same parameters as :meth:`factor`."""
        return x @ self.block + diagonal * x + difference_transpose(coupling * np.diff(x, axis=0))
