"""Digests against values computed elsewhere; a folder's fingerprint sees what changed."""

import os

from blendvoca.io.digest import digest_bytes, digest_file, digest_folder, digest_json

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, "abc"


def test_sha256_of_bytes_and_files(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert digest_bytes(b"abc") == digest_file(tmp_path / "abc") == ABC


def test_json_does_not_depend_on_the_order_of_keys():
    assert digest_json({"a": 1, "b": [2, None]}) == digest_json({"b": [2, None], "a": 1})
    assert digest_json({"a": 1}) == digest_bytes(b'{"a":1}')


def test_folders_show_size_time_and_names(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"one")
    seen = [digest_folder(tmp_path)]
    os.utime(file, ns=(1, 1))
    seen.append(digest_folder(tmp_path))
    file.rename(tmp_path / "y")
    seen.append(digest_folder(tmp_path))
    (tmp_path / "folder").mkdir()
    assert digest_folder(tmp_path) == seen[-1]
    assert len(set(seen)) == 3
