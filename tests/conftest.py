"""Fixtures shared by all tests: where real data lies, and what to say when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _folder(variable: str, default: str) -> Path:
    folder = Path(os.environ.get(variable, ROOT.parent / "shared" / default))
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}: point {variable} at the project's {default} data to run this test")
    return folder


@pytest.fixture(scope="session")
def assets() -> Path:
    """Folder of real meshes and captures (ARKit, ICT, Live Link)."""
    return _folder("BLENDVOCA_ASSETS", "assets")


@pytest.fixture(scope="session")
def conformance() -> Path:
    """Folder of numbers computed by other implementations."""
    return _folder("BLENDVOCA_CONFORMANCE", "conformance")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for real data, so that a run can pick just those."""
    for item in items:
        if {"assets", "conformance"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.real_data)
