"""Corpora that several tests build from; none of them may change one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_builders import quick, small_sample

from pipelines.build import BuildResult, build


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers, three sentences of 30 frames, two of them without motion."""
    return small_sample(tmp_path_factory.mktemp("sample") / "corpus")


@pytest.fixture(scope="session")
def wide_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers, eight sentences of 9 frames."""
    return small_sample(tmp_path_factory.mktemp("wide") / "corpus", sentences=8, max_frames=9)


@pytest.fixture(scope="session")
def built(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """The first sample, built without disturbance."""
    return build(quick(sample), tmp_path_factory.mktemp("built") / "out")
