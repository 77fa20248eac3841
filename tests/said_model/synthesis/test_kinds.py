"""What a file is to hold, by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from blendvoca.errors import ConfigurationError
from said_model.synthesis.write import kind_of


@pytest.mark.parametrize(
    ("name", "asked", "kind"),
    [
        ("a.csv", None, "csv"), ("a.glb", None, "glb"), ("a-livelink.csv", None, "livelink"),
        ("a.csv", "livelink", "livelink"),
        ("tracks", None, None), ("tracks", "csv", None), ("guidance-0.25", "csv", None), ("v1.2", None, None),
    ],
)  # fmt: skip
def test_by_name(name: str, asked: str | None, kind: str | None) -> None:
    assert kind_of(Path(name), asked) == kind


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("a.cvs", None, "unknown kind of output '.cvs' (did you mean '.csv'?)"), ("a.glb", "csv", "another suffix"),
        ("a.csv", "films", "unknown kind of output 'films'"),
    ],
)  # fmt: skip
def test_names_that_say_something_else(name: str, asked: str | None, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind_of(Path(name), asked)
    assert says in str(caught.value)
