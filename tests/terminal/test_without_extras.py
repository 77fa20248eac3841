"""Every command of both programs where only the core is installed: it works, or names the extra in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import shard_builders as build
from cli_commands import ALL

HERE = Path(__file__).parent
#: Arguments of every command; the extra that it names, or nothing where the core does it.
CALLS: dict[str, tuple[str, str]] = {
    "blendvoca build": ("nothing --out built", ""),
    "blendvoca info": ("BlendVOCA", ""),
    "blendvoca verify": ("BlendVOCA", ""),
    "blendvoca download": ("--list", ""),
    "blendvoca import-release": ("nothing --out shards", ""),
    "blendvoca complete": ("BlendVOCA --vocaset nothing", ""),
    "blendvoca publish": ("BlendVOCA --out package", ""),
    "blendvoca export-table": ("BlendVOCA --out clips.parquet", "tables"),
    "blendvoca rig": ("nothing.obj --out rig.h5", ""),
    "blendvoca landmarks check": ("nothing.obj nothing.txt", ""),
    "blendvoca landmarks transfer": ("nothing.obj --out marks.txt", ""),
    "blendvoca landmarks pick": ("head.obj --out marks.txt --window", "open3d"),
    "blendvoca synth": ("sample --speakers 1 --sentences 1 --max-frames 3", "demo"),
    "blendvoca fit": ("nothing --rig nothing --out track.csv", ""),
    "blendvoca inspect": ("SHARD", ""),
    "blendvoca render": ("SHARD --out sheet.png", "view"),
    "blendvoca export": ("SHARD:sentence01 --to usd --rig SHARD --out a.usda", "usd"),
    "blendvoca convert": ("SHARD:sentence01 a.csv", ""),
    "said sample": ("speech.wav --out a.csv", "said"),
    "said edit": ("track.csv --audio speech.wav --out edits", "said"),
    "said stream": ("", "said"),
    "said train": ("BlendVOCA --out run", "said"),
    "said train-vae": ("BlendVOCA --out run", "said"),
    "said train-sync": ("BlendVOCA --out run", "said"),
    "said align": ("speech.wav --text words --out phones.json", "align"),
    "said evaluate": ("tracks --data BlendVOCA", "said"),
    "said compare": ("tracks --data BlendVOCA", "said"),
    "said baseline": ("tracks BlendVOCA --out out", "said"),
    "said import-vertices": ("nothing --model voca --data BlendVOCA --out out", ""),
    "said ablate": ("--data BlendVOCA --out runs", "said"),
    "said features": ("BlendVOCA", "said"),
    "said import-weights": ("nothing.pth --out run", "said"),
    "said info": ("BlendVOCA", "said"),
    "said distill": ("nothing BlendVOCA --out fast", "said"),
    "said export-onnx": ("--out model.onnx", "said"),
    "said page": ("--out talk.html", "said"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    folder = tmp_path_factory.mktemp("core")
    shard = _inputs(folder)
    calls = [[*name.split(), *words.replace("SHARD", shard).split()] for name, (words, _) in CALLS.items()]
    (folder / "calls.json").write_text(json.dumps(calls))
    command = [sys.executable, str(HERE / "without_extras.py"), "calls.json"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stderr
    return {name: (code, text) for name, (code, text) in zip(CALLS, json.loads(ended.stdout.splitlines()[-1]))}


def _inputs(folder: Path) -> str:
    """Write what the commands read, and return the path of a shard."""
    import numpy as np
    import soundfile

    build.dataset(folder / "BlendVOCA")
    (folder / "tracks").mkdir()
    (folder / "nothing").mkdir()
    soundfile.write(folder / "speech.wav", np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000)
    (folder / "track.csv").write_text("jawOpen\n0.1\n0.2\n")
    (folder / "head.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    return str(next((folder / "BlendVOCA").glob("*.h5")).relative_to(folder))


def test_every_command_is_called() -> None:
    assert set(ALL) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_it_works_or_names_the_extra(name: str, results: dict[str, tuple[int, str]]) -> None:
    code, text = results[name]
    extra = CALLS[name][1]
    assert "internal error" not in text and "Traceback" not in text, text
    if extra:
        errors = [line for line in text.splitlines() if "Error" in line]
        assert code == 1 and len(errors) == 1, text
        assert f"pip install 'blendvoca[{extra}]'" in errors[0], text
    elif "nothing" in CALLS[name][0]:
        assert code in (1, 2) and "pip install" not in text, text
    else:
        assert code == 0, text
