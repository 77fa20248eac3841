"""Exceptions of the toolkit: every message says what was expected, what was found and what to do.

::

    BlendvocaError
    ├── InputError                 what the caller handed in is wrong (also a ValueError)
    │   ├── MeshError              vertices, faces, topology
    │   ├── TrackError             coefficients, blendshape names, frame rates
    │   ├── AudioError             waveforms
    │   ├── LandmarkError          landmark lists
    │   ├── RigError               blendshape rigs
    │   └── ConfigurationError     settings out of range, unknown choices
    ├── FormatError                a file does not hold what its format promises
    │   ├── UnsafePickleError      a pickle with anything but plain data
    │   └── VersionError           a format version this release cannot read
    ├── IntegrityError             checksum, manifest or certificate does not hold
    ├── MissingInputError          a file or folder that is needed is not there
    ├── OutputError                the output place cannot or must not be written
    ├── DownloadError              a transfer failed
    ├── LicenceError               the licence forbids what was asked
    ├── SolverError                a numerical method could not answer
    └── MissingDependencyError     an optional package is not installed
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from itertools import islice
from os import PathLike

#: Characters that an error shows of what was expected, and of what was found.
LONGEST_SHOWN = 1500


class BlendvocaError(Exception):
    """Base of all errors this toolkit raises on purpose.

    :param what: what went wrong, in one clause.
    :param expected: what would have been right.
    :param found: what was there instead.
    :param remedy: what the user can do.
    :param path: the file or folder concerned.
    """

    def __init__(
        self,
        what: str,
        *,
        expected: object = None,
        found: object = None,
        remedy: str | None = None,
        path: str | PathLike[str] | None = None,
    ) -> None:
        self.what, self.expected, self.found, self.remedy, self.path = what, expected, found, remedy, path
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.path}: {self.what}" if self.path is not None else self.what
        if self.expected is not None:
            text += f"; expected {_short(self.expected)}"
        if self.found is not None:
            text += f"{', ' if self.expected is not None else '; '}found {_short(self.found)}"
        if self.remedy:
            text += f". {self.remedy}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments do not survive the default pickling, and workers send errors home.
        return (_rebuild, (type(self), self.__dict__.copy()))


def _short(value: object) -> str:
    """Return a value as text of bounded length: files hold names and lists of any length."""
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} … ({len(text)} characters)"


def _rebuild(cls: type[BlendvocaError], state: dict[str, object]) -> BlendvocaError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    error.args = (state.get("what", ""),)
    return error


class InputError(BlendvocaError, ValueError):
    """What the caller handed in is wrong."""


class MeshError(InputError):
    """Vertices, faces or topology are wrong."""


class TrackError(InputError):
    """Coefficients, blendshape names or frame rates are wrong."""


class AudioError(InputError):
    """A waveform is wrong."""


class LandmarkError(InputError):
    """A landmark list is wrong."""


class RigError(InputError):
    """A blendshape rig is wrong."""


class ConfigurationError(InputError):
    """A setting is out of range or an unknown choice."""


class FormatError(BlendvocaError):
    """A file does not hold what its format promises."""


class UnsafePickleError(FormatError):
    """A pickle holds something other than plain data."""


class VersionError(FormatError):
    """A format version this release cannot read."""


class IntegrityError(BlendvocaError):
    """A checksum, a manifest or a certificate does not hold."""


class MissingInputError(BlendvocaError):
    """A file or folder that is needed is not there."""


class OutputError(BlendvocaError):
    """The output place cannot or must not be written."""


class DownloadError(BlendvocaError):
    """A transfer failed."""


class LicenceError(BlendvocaError):
    """The licence forbids what was asked."""


class SolverError(BlendvocaError):
    """A numerical method could not answer."""


class MissingDependencyError(BlendvocaError):
    """An optional package is not installed.

    :param package: the module that could not be imported.
    :param extra: the extra of this project that brings it.
    :param purpose: what it is needed for.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            remedy=f"Install it with: pip install 'blendvoca[{extra}]'",
        )


#: Names that a misspelt one is compared with, and characters of a name that is compared.
MOST_COMPARED, LONGEST_COMPARED = 1000, 200


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a clause such as ``(did you mean 'jawOpen'?)`` for a misspelt name, empty where nothing is near."""

    def plain(text: str) -> str:
        # Capitals and zeros before a number are what people leave out.
        return re.sub(r"(?<!\d)0+(?=\d)", "", text.lower())

    if len(name) > LONGEST_COMPARED:
        return ""
    # Comparing with every one of very many names would take longer than the hint is worth.
    by_plain = {plain(entry): entry for entry in islice(known, MOST_COMPARED)}
    close = difflib.get_close_matches(plain(name), list(by_plain), n=3, cutoff=0.6)
    return f" (did you mean {', '.join(repr(by_plain[entry]) for entry in close)}?)" if close else ""
