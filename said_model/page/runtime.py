"""onnxruntime-web, which runs the network in the page: found on this machine, or brought once by npm.

It is not part of this package: two files of one pinned release, 14 MB, MIT licence. They are looked for in the folder
that is named, in ``ONNXRUNTIME_WEB``, and in the cache that :func:`fetch_runtime` fills.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blendvoca.errors import DownloadError, IntegrityError, MissingInputError
from blendvoca.fetch.places import cache_folder
from blendvoca.io.atomic import write_bytes
from blendvoca.io.digest import digest_bytes

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
#: Its folder, from the environment.
VARIABLE = "ONNXRUNTIME_WEB"
#: The files with their SHA-256: the script with the loader in it, and the WebAssembly.
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
FILES = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    WASM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
_SECONDS = 600


@dataclass(frozen=True)
class Runtime:
    """Where the two files are.

    :param script: the loader, an ECMAScript module.
    :param wasm: the WebAssembly.
    """

    script: Path
    wasm: Path


def cached_runtime() -> Path:
    """Return the folder that :func:`fetch_runtime` fills."""
    return cache_folder() / f"{PACKAGE}-{VERSION}"


def find_runtime(folder: str | Path | None = None) -> Runtime:
    """Find onnxruntime-web without the network, and check that it is the pinned release.

    :param folder: of the npm package, or of the two files; without it ``ONNXRUNTIME_WEB``, then the cache.
    :raises MissingInputError: if it is not there; the remedy says how to bring it.
    :raises IntegrityError: for another release, or a damaged file.
    """
    named = folder or os.environ.get(VARIABLE) or cached_runtime()
    for place in (Path(named), Path(named) / "dist"):
        if all((place / name).is_file() for name in FILES):
            for name, digest in FILES.items():
                _check((place / name).read_bytes(), digest, place / name)
            return Runtime(place / SCRIPT, place / WASM)
    raise MissingInputError(
        f"{PACKAGE} {VERSION} is not here", expected=" and ".join(FILES), path=named,
        remedy=f"Install npm and repeat the command, or name the folder of the npm package {PACKAGE}@{VERSION} "
        f"with --runtime or {VARIABLE}.",
    )  # fmt: skip


def fetch_runtime(on_report: Callable[[str], None] | None = None) -> Runtime:
    """Bring onnxruntime-web into the cache, by npm.

    :param on_report: is called with a sentence before the network is used.
    :raises MissingInputError: without npm.
    :raises DownloadError: if npm cannot get it.
    :raises IntegrityError: if what it gets is not the pinned release.
    :raises OutputError: if the cache cannot be written.
    """
    npm = shutil.which("npm")
    if npm is None:
        return find_runtime(cached_runtime())
    if on_report is not None:
        on_report(f"npm brings {PACKAGE} {VERSION} into {cached_runtime()}, once")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", folder]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS, cwd=folder)
            archive = next(Path(folder).glob("*.tgz"))
        except (subprocess.SubprocessError, StopIteration) as error:
            reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            raise DownloadError(
                f"npm did not bring {PACKAGE} {VERSION}", found=reason[-1][:200] if reason else type(error).__name__,
                remedy=f"Name its folder with --runtime or {VARIABLE}.",
            ) from error  # fmt: skip
        contents = {name: _member(archive, f"package/dist/{name}") for name in FILES}
        for name, digest in FILES.items():
            _check(contents[name], digest, archive)
    for name, content in contents.items():
        write_bytes(cached_runtime() / name, content)
    return find_runtime(cached_runtime())


def _member(archive: Path, name: str) -> bytes:
    """Return a file of an archive; nothing where it is not there."""
    try:
        with tarfile.open(archive) as package:
            member = package.extractfile(name)
            return b"" if member is None else member.read()
    except (KeyError, tarfile.TarError):
        return b""


def _check(content: bytes, digest: str, path: Path) -> None:
    found = digest_bytes(content)
    if found != digest:
        raise IntegrityError(f"this is not {PACKAGE} {VERSION}", expected=digest, found=found, path=path)
