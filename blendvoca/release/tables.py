"""The dataset as a table: one row a clip or one row a frame, CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, MissingDependencyError
from blendvoca.internal.names import table_cell
from blendvoca.io.atomic import atomic_path, write_text

#: What ``BlendVOCA.table`` gives, in its order, and of which Parquet type it is.
CLIP_COLUMNS: dict[str, str] = {
    "speaker": "string",
    "sentence": "string",
    "split": "string",
    "licence_class": "string",
    "frames": "int64",
    "fps": "float64",
    "seconds": "float64",
    "samples": "int64",
    "audio_rate": "int64",
    "fit_error_mm": "float64",
    "rate_limit_share": "float64",
}
SUFFIXES = (".csv", ".parquet")


def export_table(dataset: BlendVOCA, path: Path, frames: bool = False) -> Path:
    """Write the dataset as a table.

    One row a clip: the columns of :meth:`blendvoca.dataset.BlendVOCA.table`. One row a frame: ``speaker``,
    ``sentence``, ``split``, ``frame``, ``time`` in seconds, and a float32 column a blendshape.

    :param path: ``.csv`` or ``.parquet``.
    :param frames: one row a frame instead of one a clip.
    :raises ConfigurationError: for another suffix.
    :raises MissingDependencyError: for Parquet without pyarrow.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigurationError("unknown kind of table", expected=f"a name that ends in {SUFFIXES}", found=path.name)
    if path.suffix == ".parquet":
        _write_parquet(dataset, path, frames)
    elif frames:
        _write_frames_csv(dataset, path)
    else:
        write_text(path, clips_csv(dataset))
    return path


def clips_csv(dataset: BlendVOCA) -> str:
    """Return the table of clips as CSV; what is not known is left empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CLIP_COLUMNS, lineterminator="\n")
    writer.writeheader()
    # Speakers and sentences begin with a letter or digit (check_file_name): no cell is a formula.
    writer.writerows(dataset.table())
    return text.getvalue()


def _frame_columns(dataset: BlendVOCA) -> Iterator[dict[str, Any]]:
    """Yield the columns of one clip after the other."""
    splits = {row["speaker"]: row["split"] for row in dataset.table()}
    for row in range(len(dataset)):
        clip = dataset[row]
        count = len(clip.track)
        columns = dict(zip(clip.track.names, clip.track.values.T.astype(np.float32), strict=True))
        yield {
            "speaker": [clip.speaker] * count,
            "sentence": [clip.sentence] * count,
            "split": [splits[clip.speaker]] * count,
            "frame": np.arange(count, dtype=np.int32),
            "time": np.arange(count) / clip.track.fps,
            **columns,
        }


def _write_frames_csv(dataset: BlendVOCA, path: Path) -> None:
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, columns in enumerate(_frame_columns(dataset)):
            if number == 0:
                file.write(",".join(map(table_cell, columns)) + "\n")
            writer.writerows(zip(*columns.values(), strict=True))


def _write_parquet(dataset: BlendVOCA, path: Path, frames: bool) -> None:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise MissingDependencyError("pyarrow", "tables", "writing Parquet") from error
    batches: Iterator[Any]
    if frames:
        texts = [(name, arrow.string()) for name in ("speaker", "sentence", "split")]
        numbers = [("frame", arrow.int32()), ("time", arrow.float64())]
        schema = arrow.schema([*texts, *numbers, *((name, arrow.float32()) for name in dataset.names)])
        batches = (arrow.table(columns, schema=schema) for columns in _frame_columns(dataset))
    else:
        schema = arrow.schema([(name, getattr(arrow, kind)()) for name, kind in CLIP_COLUMNS.items()])
        batches = iter([arrow.Table.from_pylist(dataset.table(), schema=schema)])
    with atomic_path(path) as temporary, parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(batch)
