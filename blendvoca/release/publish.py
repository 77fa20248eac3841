"""A package that may be given away: described, summed, and checked before it appears."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, IntegrityError, LicenceError, OutputError
from blendvoca.fetch.package import SUMS_NAME, check_sums
from blendvoca.io.atomic import atomic_path, write_text
from blendvoca.io.digest import digest_file
from blendvoca.release.card import CARD_NAME, data_card
from blendvoca.release.config import LICENCES, PackageConfig
from blendvoca.release.croissant import CLIPS_NAME, CROISSANT_NAME, croissant
from blendvoca.release.tables import clips_csv
from blendvoca.shard import schema
from blendvoca.shard.manifest import Manifest, write_manifest
from blendvoca.shard.reader import Shard, open_shard, opened
from blendvoca.shard.schema import LicenceClass
from blendvoca.shard.verify import verify_folder
from blendvoca.shard.writer import write_shard
from blendvoca.speakers import VOCASET_SPEAKERS


def publish(shards: Path, out: Path, config: PackageConfig | None = None, *, tar: bool = False) -> Path:
    """Make a package of a folder of shards.

    Shards of class ``restricted`` are reduced to class ``coefficients``: tracks, deltas, crop, landmarks and
    certificates stay, neutral meshes, faces and audio do not. Others go as they are.

    :param shards: folder of shards that ``blendvoca verify`` finds well.
    :param out: the package's folder; with ``tar``, ``<out>.tar`` and ``<out>.tar.sha256`` beside it.
    :returns: the folder or the tar.
    :raises LicenceError: if a shard holds what its licence class, or VOCASET's licence, forbids to give away; it says
        which file and why, and nothing is written.
    :raises IntegrityError: if ``verify`` finds a problem.
    :raises OutputError: if the place is taken.
    """
    config = config or PackageConfig()
    target = out.with_name(out.name.removesuffix(".tar") + ".tar") if tar else out
    _check_place(target, tar)
    dataset = BlendVOCA(shards)
    entries = dataset.manifest.shards
    for entry in entries:
        refuse_restricted(shards / entry.file)
    if problems := verify_folder(shards):
        raise IntegrityError(
            f"only sound shards are published; {len(problems)} problems",
            found=str(problems[0]),
            remedy="blendvoca verify lists them all.",
            path=shards,
        )
    with _workshop(target) as folder:
        for entry in entries:
            _copy_allowed(shards / entry.file, folder / entry.file)
        split = {entry.speaker: entry.split for entry in entries}
        manifest = write_manifest(folder, split, name=config.name, known_gaps=dataset.manifest.known_gaps)
        _describe(folder, manifest, _with_licence(config, manifest))
        _check_package(folder, manifest)
        if tar:
            _write_tar(folder, target)
        else:
            _take_place(folder, target)
    return target


def _with_licence(config: PackageConfig, manifest: Manifest) -> PackageConfig:
    name, url = LICENCES[manifest.licence_class]
    return replace(config, licence=config.licence or name, licence_url=config.licence_url or url)


def refuse_restricted(path: Path) -> None:
    """Refuse a shard that holds what must not be given away under the class it claims.

    A shard of class ``restricted`` passes: it is reduced before it is packed.

    :raises LicenceError: naming the file and what is in it.
    """
    shard = open_shard(path)
    if shard.licence_class is LicenceClass.RESTRICTED:
        return
    media = _media(shard)
    why = None
    if media and not shard.licence_class.holds_media:
        why = f"its licence class {shard.licence_class.value!r} forbids them"
    elif media and shard.speaker in VOCASET_SPEAKERS:
        why = f"{shard.speaker} is a speaker of VOCASET, whose licence forbids to pass on meshes and audio"
    if why is not None:
        shown = ", ".join(media[:3]) + (f" and {len(media) - 3} more" if media[3:] else "")
        raise LicenceError(
            f"this shard cannot be published: it holds {shown}, and {why}",
            remedy="Write it again with licence class 'restricted': publish then leaves these parts out.",
            path=path,
        )


def _media(shard: Shard) -> list[str]:
    """Return what a shard holds beside tracks, deltas and index lists, found in the file and not in its claims."""
    found: list[str] = []
    with opened(shard.path) as file:
        file.visit(lambda name: found.append(name) if name.endswith(("/audio", "/neutral", "/faces")) else None)
        allowed = {"names", "deltas", "crop", "landmarks", "neutral", "faces"}
        found += [f"rig/{name}" for name in file["rig"] if name not in allowed]
        for sentence in shard.sentences:
            inside = set(file["clips"][sentence]) - {"coefficients", schema.AUDIO_DATASET}
            found += [f"clips/{sentence}/{name}" for name in sorted(inside)]
        found += [name for name in file if name not in ("rig", "clips")]
    return sorted(set(found))


def _copy_allowed(source: Path, target: Path) -> None:
    shard = open_shard(source)
    if shard.licence_class is LicenceClass.OPEN:
        shutil.copyfile(source, target)
        return
    # Written anew even where nothing is left out: a file may still hold the bytes of what was once deleted from it.
    reduced, clips = LicenceClass.COEFFICIENTS, shard.clips(audio=False)
    write_shard(target, shard.speaker, clips, shard.parts().reduced(reduced), reduced, sources=shard.sources)


def _describe(folder: Path, manifest: Manifest, config: PackageConfig) -> None:
    """Write the table, the Croissant description, the card and the sums."""
    write_text(folder / CLIPS_NAME, clips_csv(BlendVOCA(folder)))
    names = [CLIPS_NAME, schema.MANIFEST_NAME, *(entry.file for entry in manifest.shards)]
    sums = {name: digest_file(folder / name) for name in names}
    sizes = {name: (folder / name).stat().st_size for name in names}
    document = croissant(manifest, config, sums, sizes)
    write_text(folder / CROISSANT_NAME, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / CARD_NAME, data_card(manifest, config))
    lines = [f"{digest_file(path)}  {path.name}" for path in sorted(folder.iterdir())]
    write_text(folder / SUMS_NAME, "\n".join(lines) + "\n")


def _check_package(folder: Path, manifest: Manifest) -> None:
    """Look at what was made as if someone else had made it.

    :raises LicenceError: if something restricted is in it.
    :raises IntegrityError: if it is not sound.
    """
    expected = {CLIPS_NAME, CROISSANT_NAME, CARD_NAME, SUMS_NAME, schema.MANIFEST_NAME}
    expected |= {entry.file for entry in manifest.shards}
    for path in sorted(folder.iterdir()):
        if path.name not in expected:
            raise LicenceError("a file that no package holds", found=path.name, path=path)
    for entry in manifest.shards:
        if not open_shard(folder / entry.file).licence_class.publishable:
            raise LicenceError("a restricted shard got into the package", path=folder / entry.file)
        refuse_restricted(folder / entry.file)
    check_sums(folder)
    if problems := verify_folder(folder):
        raise IntegrityError("the package is not sound", found=str(problems[0]), path=folder)


def _check_place(target: Path, tar: bool) -> None:
    if target.suffix == ".tar" and not tar:
        raise ConfigurationError("a tar is asked for with tar=True or --tar", found=target.name)
    if target.exists() and (tar or not target.is_dir() or any(target.iterdir())):
        raise OutputError("something is here already", remedy="Remove it, or choose another place.", path=target)


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """Give a folder beside the target to work in, removed at the end."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
            folder = Path(scratch) / "package"
            folder.mkdir()
            yield folder
    except OSError as error:
        raise OutputError("cannot write here", found=error.strerror or str(error), path=target.parent) from error


def _take_place(folder: Path, target: Path) -> None:
    if target.exists():
        target.rmdir()  # it is empty
    folder.rename(target)


def _write_tar(folder: Path, target: Path) -> None:
    """Write a tar whose bytes depend on the content alone, read it back, and write its sum."""
    with atomic_path(target) as temporary:
        with tarfile.open(temporary, "w:", format=tarfile.USTAR_FORMAT) as tar:
            for path in sorted(folder.iterdir()):
                member = tarfile.TarInfo(path.name)
                member.size, member.mode = path.stat().st_size, 0o644
                with path.open("rb") as stream:
                    tar.addfile(member, stream)
        from blendvoca.fetch.package import unpack

        with tempfile.TemporaryDirectory(dir=folder.parent) as check:
            unpack(temporary, Path(check) / "package")
        digest = digest_file(temporary)
    write_text(target.with_name(target.name + ".sha256"), f"{digest}  {target.name}\n")
