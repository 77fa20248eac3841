"""Locks: one holder at a time, a wait that ends, and who holds it is said."""

import os
import threading

import pytest

from blendvoca.errors import DownloadError, OutputError
from blendvoca.io.lock import locked

SAY = ("somebody is here", "Wait.")


def test_a_second_holder_is_refused_and_the_first_named(tmp_path):
    path = tmp_path / "new" / ".lock"
    with locked(path, *SAY):
        words = f"somebody is here; found process {os.getpid()}. Wait"
        with pytest.raises(DownloadError, match=words), locked(path, *SAY, error=DownloadError):
            pass
        # The refused one has not let go of the other's lock.
        with pytest.raises(OutputError), locked(path, *SAY):
            pass
    with locked(path, *SAY):
        pass


def test_an_error_inside_frees_it(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / ".lock", *SAY):
        raise ZeroDivisionError
    with locked(tmp_path / ".lock", *SAY):
        pass


def test_holders_take_turns(tmp_path):
    inside, most, errors = [], [], []

    def run():
        try:
            with locked(tmp_path / ".lock", *SAY, patience=20):
                inside.append(1)
                most.append(len(inside))
                inside.pop()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert most == [1] * 5


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write here"), locked(tmp_path / "file" / ".lock", *SAY):
        pass
