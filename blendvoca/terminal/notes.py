"""What readers changed: printed as it is found, and an error in the end where nothing may be changed."""

from __future__ import annotations

from blendvoca.errors import InputError
from blendvoca.terminal.lazy_group import note


class Notes:
    """Prints notes to standard error and keeps them.

    :param strict: notes are errors.
    """

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict
        self._found: list[str] = []

    def __call__(self, sentence: str) -> None:
        """Take a note of something that was changed."""
        self._found.append(sentence)
        note(sentence)

    def remark(self, sentence: str) -> None:
        """Print what was taken for granted; it is no change and no error."""
        note(sentence)

    def settle(self, path: object) -> None:
        """Raise where notes are errors and there are any; to be called before anything is written.

        :raises InputError: naming the first of them.
        """
        if self._strict and self._found:
            more = f" and {len(self._found) - 1} more" if len(self._found) > 1 else ""
            raise InputError("the file is not read as it is", expected="nothing to change, with --strict",
                             found=self._found[0] + more, path=str(path))  # fmt: skip
