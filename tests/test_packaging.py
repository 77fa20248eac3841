"""The wheel that is built from the sdist works where there is no checkout."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
URL = "https://example.org/owner/name"


def _run(*words: str | Path, cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    ended = subprocess.run(list(map(str, words)), cwd=cwd, env=environment | {"OMP_NUM_THREADS": "1"},
                           capture_output=True, text=True)  # fmt: skip
    assert ended.returncode == 0, f"{words}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel made of it; what builds is what is installed here."""
    pytest.importorskip("build", reason="pip install 'blendvoca[dev]' to run this test")
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout of git to build from")
    out = tmp_path_factory.mktemp("dist")
    script = runpy.run_path(str(ROOT / "docs" / "make_dist.py"))
    try:
        # Without the network: what builds is this environment's setuptools.
        script["main"](URL, out, "--no-isolation")
    except subprocess.CalledProcessError:
        pytest.skip("no setuptools here to build with")
    return out


@pytest.mark.slow
def test_what_is_in_them(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        assert any(name.endswith("/setup.cfg") for name in sdist.getnames())
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
        metadata = message_from_bytes(wheel.read(next(name for name in names if name.endswith("METADATA"))))
    wanted = ("blendvoca/release/sample/manifest.json", "landmarks/pick.html", "blendvoca/py.typed",
              "said_model/weights/demo/model.safetensors", "share/blendvoca/blender/blendvoca_track.py")  # fmt: skip
    for name in wanted:
        assert any(found.endswith(name) for found in names), name
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]
    assert {"Paper", "Source", "Issues"} <= {line.split(",")[0] for line in metadata.get_all("Project-URL", [])}
    page = str(metadata.get_payload())
    addresses = re.findall(r"\]\(([^)\s]+)\)", page)
    assert addresses and all(address.startswith(("http", "#")) for address in addresses)
    assert f"]({URL}/raw/v" in page, "pictures are absolute"


@pytest.mark.slow
def test_it_works_outside_the_checkout(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    _run(programs / "python", "-m", "pip", "install", "-q", "--no-deps", next(built.glob("*.whl")), cwd=tmp_path)
    # The dependencies of this environment, without what it has installed of this project.
    home = Path(_run(programs / "python", "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip())
    (home / "dependencies.pth").write_text(str(Path(np.__file__).parents[1]) + "\n")
    (tmp_path / "here").mkdir()
    here, blendvoca, said = tmp_path / "here", programs / "blendvoca", programs / "said"
    where = "import blendvoca as b, landmarks as m, said_model as s; print(b.__file__, m.__file__, s.__file__)"
    assert str(ROOT) + os.sep not in _run(programs / "python", "-c", where, cwd=here)
    assert "3 speakers" in _run(blendvoca, "download", "sample", "--out", "sample", cwd=here)
    _run(blendvoca, "verify", "sample", cwd=here)
    _run(blendvoca, "inspect", "sample", "--speaker", "speaker03", "--out", "page.html", cwd=here)
    _run(blendvoca, "download", "blender-addon", "--out", "addon", cwd=here)
    assert (here / "addon" / "blendvoca_track.py").is_file()
    if "torch" in sys.modules or Path(np.__file__).parents[1].joinpath("torch").is_dir():
        _run(said, "sample", "--data", "sample", "--out", "tracks", cwd=here)
        assert len(list((here / "tracks").rglob("*.csv"))) == 2
