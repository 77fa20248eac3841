"""Run commands as on a machine where only the core is installed, and print what came of them as JSON.

``python without_extras.py COMMANDS.json``: a list of argument lists, the program's name first.
"""

from __future__ import annotations

import json
import sys
from configparser import ConfigParser
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: What an extra's package is imported as, where that is another name.
MODULES = {
    "scikit-sparse": "sksparse", "scikit-learn": "sklearn", "pillow": "PIL", "espeakng-loader": "espeakng_loader",
    "usd-core": "pxr", "dask[distributed]": "dask", "onnxruntime-gpu": "onnxruntime",
}  # fmt: skip
#: Extras that are for work on the project itself.
TOOLS = ("dev", "docs")


def optional() -> set[str]:
    """Return the modules that the extras of ``setup.cfg`` bring, and nothing of the core."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    found = set()
    for extra, lines in config["options.extras_require"].items():
        if extra not in TOOLS:
            for line in filter(None, lines.splitlines()):
                name = line.split(";")[0].split(">=")[0].split("==")[0].strip()
                found.add(MODULES.get(name, name.replace("-", "_")))
    return found


class Without(MetaPathFinder):
    """Finds what another finder finds, but for some packages."""

    def __init__(self, finder: Any, names: set[str]) -> None:
        self.finder, self.names = finder, names

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return nothing for these packages, as an environment without them does."""
        return None if fullname.partition(".")[0] in self.names else self.finder.find_spec(fullname, path, target)


def main() -> None:
    """Run the commands."""
    sys.meta_path[:] = [Without(finder, optional()) for finder in sys.meta_path]
    sys.path.insert(0, str(ROOT))
    from click.testing import CliRunner

    from blendvoca.cli import main as blendvoca
    from said_model.cli import main as said

    programs, results = {"blendvoca": blendvoca, "said": said}, []
    for program, *arguments in json.loads(Path(sys.argv[1]).read_text()):
        result = CliRunner().invoke(programs[program], arguments)
        results.append([result.exit_code, result.output])
    print(json.dumps(results))


if __name__ == "__main__":
    main()
