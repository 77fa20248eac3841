"""The average head is computed once for all tests of this folder."""

from __future__ import annotations

import pytest

from blendvoca.synthetic.head import CanonicalHead, SyntheticHead


@pytest.fixture(scope="session")
def canonical() -> CanonicalHead:
    return CanonicalHead()


@pytest.fixture(scope="session")
def average(canonical: CanonicalHead) -> SyntheticHead:
    return SyntheticHead(canonical=canonical)
