"""Files that stand in for the one that was wanted: Git LFS pointers, web pages, empty files, archives around it.

Every reader meets them, and none can say anything useful of their content, so they are recognised here, once.
"""

from __future__ import annotations

import re
from os import PathLike

from blendvoca.errors import FormatError

#: Bytes of a file's start that are looked at.
START = 512
_POINTER = b"version https://git-lfs.github.com/spec/"
_SIZE = re.compile(rb"^size (\d{1,15})\s*$", re.MULTILINE)
_PAGE = re.compile(rb"<(!doctype\s+html|html|head|body|script|meta|title)\b", re.IGNORECASE)
_XML = re.compile(rb"<(\?xml|error>|!doctype)", re.IGNORECASE)
#: What hosts answer instead of a file.
_ANSWERS = (b"404: Not Found", b"404 Not Found", b"Entry not found", b"Invalid username or password", b"Access denied")
#: How archives begin, and their names.
_ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\0": "an xz archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
}
_AGAIN = "Download it again: sign in first if the place asks for it, and take the file itself, not its page."


def refuse_stand_in(start: bytes, path: str | PathLike[str] | None = None, *, archive: bool = False) -> None:
    """Raise where a file is none of its kind but something that stands in for it.

    :param start: the first :data:`START` bytes of the file, or more.
    :param path: what the error calls the file.
    :param archive: whether the reader takes zip archives.
    :raises FormatError: saying what the file is and what to do.
    """
    found, remedy = _recognise(start[:START], archive)
    if found:
        raise FormatError("not the file itself", expected="its content", found=found, remedy=remedy, path=path)


def _recognise(start: bytes, archive: bool) -> tuple[str, str]:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return "an empty file", "Copy or download it again."
    if text.startswith(_POINTER):
        size = _SIZE.search(text)
        whole = f" to a file of {int(size[1]):,} bytes" if size else ""
        return f"a Git LFS pointer{whole}", "Fetch the content with 'git lfs pull', or download the file itself."
    if _PAGE.match(text) or (text.startswith(b"<!--") and _PAGE.search(text)):
        return "a web page (HTML)", _AGAIN
    if _XML.match(text):
        return ("a web page (HTML)" if _PAGE.search(text) else "an XML document, perhaps a server's error"), _AGAIN
    if text.startswith(_ANSWERS) and len(text) < 200:
        return f"a server's answer, {text.splitlines()[0].decode('utf-8', 'replace')[:60]!r}", _AGAIN
    kind = next((name for magic, name in _ARCHIVES.items() if start.startswith(magic)), "")
    return (kind, "Unpack it, and name the file inside.") if kind and not (archive and start[:2] == b"PK") else ("", "")
