"""Khronos' glTF validator, where it is to be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

_SCRIPT = (
    "const v=require(process.argv[1]);v.validateBytes(new Uint8Array(require('fs').readFileSync(process.argv[2])))"
    ".then(r=>console.log(JSON.stringify(r.issues)))"
)
#: Findings about the tests' own made-up pictures.
_PICTURES = ("IMAGE_", "RESOURCE_EXTERNAL")


def validator() -> str | None:
    """Return the folder of the validator's module, if it is there."""
    folder = os.environ.get("GLTF_VALIDATOR")
    return folder if folder and shutil.which("node") else None


def new_problems(path: Path, source: Path) -> list[str]:
    """Return the errors and warnings that a file has and its source has not."""
    old = problems(source)
    return [problem for problem in problems(path) if problem not in old]


def problems(path: Path) -> list[str]:
    """Return the validator's errors and warnings; none without the validator."""
    folder = validator()
    if folder is None:
        return []
    command = ["node", "-e", _SCRIPT, folder, str(path)]
    issues = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    found = [message for message in issues["messages"] if message["severity"] < 2]
    return [f"{m['code']} {m['pointer']}: {m['message']}" for m in found if not m["code"].startswith(_PICTURES)]
