"""The import rules of ARCHITECTURE.md, asserted from the source itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("blendvoca", "landmarks", "pipelines", "said_model")
HEAVY = ("torch", "transformers", "diffusers", "sklearn")

#: importing module prefix -> prefixes it must not import, anywhere in the file
FORBIDDEN = {
    "blendvoca": (*HEAVY, "landmarks", "pipelines", "said_model"),
    "blendvoca.linalg": ("blendvoca.mesh", "blendvoca.rig", "blendvoca.track", "blendvoca.io"),
    "blendvoca.qp": ("blendvoca.mesh", "blendvoca.rig", "blendvoca.track", "blendvoca.io"),
    "blendvoca.transfer": ("blendvoca.qp", "blendvoca.io"),
    "blendvoca.io": ("blendvoca.qp", "blendvoca.transfer", "blendvoca.linalg"),
    "landmarks": (*HEAVY, "pipelines", "said_model"),
    "pipelines": (*HEAVY, "said_model"),
    "said_model": ("pipelines", "landmarks", "blendvoca.transfer", "blendvoca.qp"),
    "said_model.diffusion": tuple(
        f"said_model.{other}" for other in ("network", "training", "synthesis", "evaluation", "checkpoints", "model")
    ),
    "said_model.network": tuple(
        f"said_model.{other}" for other in ("diffusion", "training", "synthesis", "evaluation", "checkpoints", "model")
    ),
    "said_model.evaluation": ("said_model.training",),
    "said_model.evaluation.metrics": ("torch", "transformers", "said_model.evaluation.vae", "said_model.model"),
}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def _modules() -> dict[str, Path]:
    return {_name(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}


def _imports(module: str, at_top: bool) -> set[str]:
    """Modules imported by a file: everywhere, or only where importing the file runs the import."""
    path = _modules()[module]
    tree = ast.parse(path.read_text())
    typing_only = {
        inner
        for node in tree.body
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = set()
    for node in tree.body if at_top else ast.walk(tree):
        if node in typing_only and at_top:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
            base = base[: len(base) - node.level + 1] if node.level else []
            parent = ".".join([*base, *([node.module] if node.module else [])])
            names = {f"{parent}.{alias.name}" for alias in node.names}
            # A package is imported for itself only where a name of it is wanted that is no module.
            found.update(names if names <= _modules().keys() else {parent, *names})
    return found


def _under(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_only_what_they_may(package):
    broken = [
        f"{module} imports {target}"
        for module in _modules()
        if _under(module, package) and ".cli" not in module
        for target in _imports(module, at_top=False)
        if any(_under(target, forbidden) for forbidden in FORBIDDEN[package])
    ]
    assert broken == []


def test_nothing_imports_a_cli():
    broken = [
        f"{module} imports {target}"
        for module in _modules()
        if ".cli" not in module and not module.endswith("__main__")
        for target in _imports(module, at_top=False)
        if any(_under(target, f"{package}.cli") for package in PACKAGES)
    ]
    assert broken == []


def test_stages_do_not_import_each_other():
    stages = [module for module in _modules() if module.startswith("pipelines.stages.")]
    assert stages
    broken = [
        f"{module} imports {target}"
        for module in stages
        for target in _imports(module, at_top=False)
        if target in stages and target != module
    ]
    assert broken == []


@pytest.mark.parametrize("at_top", [True, False], ids=["when imported", "anywhere, for types too"])
def test_no_import_cycles(at_top):
    graph = {module: {t for t in _imports(module, at_top) if t in _modules()} - {module} for module in _modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("program", ["blendvoca", "said_model"])
def test_help_loads_nothing_heavy(program):
    code = f"import sys; from {program}.cli import main; main(['--help'], standalone_mode=False); " + (
        "print('HEAVY', sorted({'numpy', 'torch', 'scipy', 'h5py', 'rich'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "Commands" in done.stdout
    assert "HEAVY []" in done.stdout


@pytest.mark.parametrize(("package", "program"), [("blendvoca", "blendvoca"), ("said_model", "said")])
def test_packages_run_as_modules(package, program):
    done = subprocess.run([sys.executable, "-m", package, "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert f"Usage: {program} " in done.stdout


@pytest.mark.parametrize("package", ["blendvoca", "said_model"])
def test_every_listed_command_exists_and_every_command_is_listed(package):
    module = __import__(f"{package}.cli", fromlist=["COMMANDS"])
    folder = ROOT / package / "cli"
    modules = [path.relative_to(folder) for path in folder.rglob("*.py") if path.parent.name != "options"]
    files = {path.stem.replace("_", "-") for path in modules}
    assert set(module.COMMANDS) == {name for name in files if not name.startswith("-")}
    for name in module.COMMANDS:
        command = module.main.get_command(None, name)
        assert command.help
        flags = [flag for option in command.params for flag in (*option.opts, *option.secondary_opts)]
        assert len(flags) == len(set(flags)), f"{name} has an option twice"


def test_no_folder_needs_a_table_of_contents():
    """A newcomer sees what a folder holds: at most 16 modules beside ``__init__`` and ``__main__``."""
    folders = {path.parent for path in _modules().values()}
    counts = {
        str(folder.relative_to(ROOT)): sum(not path.name.startswith("__") for path in folder.glob("*.py"))
        for folder in folders
    }
    assert {folder: count for folder, count in counts.items() if count > 16} == {}
