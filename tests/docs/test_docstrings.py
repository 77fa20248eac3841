"""Docstrings of the public interface: one field a line, every argument described, none that does not exist."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("blendvoca", "blendvoca.view", "blendvoca.geometry", "blendvoca.qp", "blendvoca.transfer", "landmarks",
            "said_model")  # fmt: skip
_PARAM = re.compile(r"^\s*:param (\w+):", re.MULTILINE)


def _public(package: str) -> Iterator[tuple[str, object]]:
    """Yield exported names, and the public methods of exported classes, with what they are."""
    module = importlib.import_module(package)
    for name in module.__all__:
        found = getattr(module, name)
        yield f"{package}.{name}", found
        if not inspect.isclass(found):
            continue
        for method, value in vars(found).items():
            plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if inspect.isfunction(plain) and not method.startswith("_"):
                yield f"{package}.{name}.{method}", plain


def _arguments(found: object) -> list[str]:
    if inspect.isclass(found):
        if dataclasses.is_dataclass(found):
            return [field.name for field in dataclasses.fields(found) if field.init]
        if "__init__" not in vars(found):
            return []
        found = found.__init__
    return [name for name in inspect.signature(found).parameters if name not in ("self", "cls")]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_argument_is_described_and_none_is_made_up(package):
    if package == "said_model":
        pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
    wrong = []
    for name, found in _public(package):
        if not (inspect.isclass(found) or inspect.isfunction(found)):
            continue
        doc, arguments = inspect.getdoc(found) or "", _arguments(found)
        described = _PARAM.findall(doc)
        if not doc:
            wrong.append(f"{name}: no docstring")
        # Fields of a result are attributes: those may stand beside themselves ("#:" or a string below).
        wrong += [f"{name}: {missing} is not described" for missing in arguments if missing not in described]
        wrong += [f"{name}: there is no {extra}" for extra in described if extra not in arguments]
    assert wrong == []


def test_fields_stand_alone_on_their_line_everywhere():
    wrong = []
    for package in ("blendvoca", "landmarks", "pipelines", "said_model"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                fields = re.findall(r":(?:param \w+(?:, *\w+)*|returns?|raises [\w, ]+):", line)
                first = line.strip().removeprefix('"""').startswith(":")
                if len(fields) > 1 or (fields and not first) or re.search(r":param \w+, *\w+", line):
                    wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert wrong == []
