"""Build sdist and wheel with a page for the package index: ``python docs/make_dist.py SOURCE_URL [OUT]``.

A package index shows no picture of a relative address and follows no relative link. So the tracked files are copied,
README's links and pictures become absolute below SOURCE_URL (the repository's public address) at the version's tag, the
address becomes the project's, and the copy is built.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from blendvoca.version import __version__

ROOT = Path(__file__).resolve().parent.parent
#: A link or a picture: whether it is a picture, its text, its address.
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+://|#)([^)\s]+)\)")


def absolute(text: str, source_url: str) -> str:
    """Return README's text with absolute addresses."""
    base = f"{source_url.rstrip('/')}/{{}}/v{__version__}/"

    def link(match: re.Match[str]) -> str:
        picture, words, address = match.groups()
        return f"{picture}[{words}]({base.format('raw' if picture else 'blob')}{address})"

    return _LINK.sub(link, text)


def with_urls(config: str, source_url: str) -> str:
    """Return ``setup.cfg`` with the project's addresses."""
    url = source_url.rstrip("/")
    lines = {"Source": url, "Issues": f"{url}/issues", "Changelog": f"{url}/blob/v{__version__}/CHANGELOG.md"}
    added = "".join(f"    {name} = {address}\n" for name, address in lines.items())
    return config.replace("project_urls =\n", f"project_urls =\n{added}", 1)


def main(source_url: str, out: Path, *options: str) -> None:
    """Build into ``out``, with options of ``python -m build``."""
    with tempfile.TemporaryDirectory() as folder:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in filter(None, listed.decode().split("\0")):
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
        for name, change in (("README.md", absolute), ("setup.cfg", with_urls)):
            path = Path(folder) / name
            path.write_text(change(path.read_text(), source_url))
        subprocess.run([sys.executable, "-m", "build", "--outdir", str(out), *options, folder], check=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else "dist").resolve())
