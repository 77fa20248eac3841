"""Sphinx's settings: the pages beside this file are the guide, docs/api the reference."""

import re

from blendvoca.version import __version__

project = "BlendVOCA and SAiD"
copyright = "the BlendVOCA authors, Apache License 2.0"
release = version = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "myst_parser"]
exclude_patterns = ["blender/blendvoca_track.py"]

html_theme = "furo"
html_title = f"BlendVOCA and SAiD {__version__}"

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True}

#: What annotations become when they are evaluated, and how they are written.
_ANY = "_SupportsArray[dtype[Any]]"
_LIKE = f"_Buffer | {_ANY} | _NestedSequence[{_ANY}] | complex | bytes | str | _NestedSequence[complex | bytes | str]"
_TYPES = (
    (re.compile(r"~(?:numpy|typing)[\w.]*\.(\w+)"), r"\1"),
    (re.compile(r"ndarray\[tuple\[Any, \.\.\.\], dtype\[(\w+)\]\]"), r"NDArray[\1]"),
    (re.compile(re.escape(_LIKE)), "ArrayLike"),
)


def _shorten(_app, _what, _name, _object, _options, signature, returned):
    texts = [signature, returned]
    for pattern, short in _TYPES:
        texts = [text if text is None else pattern.sub(short, text) for text in texts]
    return tuple(texts)


def setup(app):
    """Write arrays in signatures as the sources do."""
    app.connect("autodoc-process-signature", _shorten)
