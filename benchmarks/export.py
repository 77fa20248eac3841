"""What every exporter loses: clips written, read back and compared; the table of ``docs/export.md``.

Run ``python benchmarks/export.py SHARDS [--every 7] [--out results.json]`` on a folder of shards. It fails where an
exporter that should lose nothing leaves its bound. USD is left out without usd-core.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from blendvoca.export.convert import KINDS, load_track, save
from blendvoca.export.recipes import RECIPES, from_recipe, load_recipe
from blendvoca.export.rigs import load_rig
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.reader import open_shard
from blendvoca.track import CoefficientTrack

Array = NDArray[np.float64]
#: Largest difference that a lossless exporter may make, as the tests bound it.
BOUNDS = {"glb": 2e-5, "glb, metres": 1e-8, "usd": 1e-7, "usd, metres": 1e-8, "livelink": 1e-10, "csv": 6e-8,
          "json": 1e-9, "read table, decimal commas": 1e-7, "read JSON, matrix": 1e-9, "read JSON, categories": 1e-9,
          "read array": 1e-7}  # fmt: skip


def sample(folder: Path, every: int) -> list[tuple[Path, str]]:
    """Return every n-th clip of the shards, by speaker and sentence."""
    paths = sorted(folder.glob("*.h5"))
    clips = [(path, sentence) for path in paths for sentence in open_shard(path).sentences]
    return clips[::every]


def differences(path: Path, sentence: str, folder: Path) -> dict[str, tuple[Array, Array]]:
    """Return what each exporter was given and what came back, as arrays of one shape."""
    track, rig = load_track(f"{path}:{sentence}"), load_rig(path)
    found: dict[str, tuple[Array, Array]] = {}
    for kind in ("glb", "livelink", "csv", "json"):
        file = folder / f"{kind}{KINDS[kind]}"
        save(file, kind, track, rig)
        again = load_track(file)
        found[kind] = track.values, again.select(track.names).values
    found["glb, metres"] = _geometry(rig), _geometry(load_rig(folder / "glb.glb"))
    if importlib.util.find_spec("pxr"):
        # USD keeps files open by their name.
        file = folder / f"{path.stem}-{sentence}.usdc"
        save(file, "usd", track, rig)
        weights, geometry = read_usd(file, rig, len(track))
        found["usd"] = track.values, weights[:, rig.indices(track.names)]
        found["usd, metres"] = _geometry(rig), geometry
    for name, (file, options) in foreign(track, folder).items():
        found[f"read {name}"] = track.values, load_track(file, **options).select(track.names).values
    for recipe in RECIPES:
        save(folder / f"{recipe}.json", recipe, track)
        again = from_recipe(load_track(folder / f"{recipe}.json"), load_recipe(recipe))
        shared = [name for name in again.names if name in track.names]
        found[recipe] = track.select(shared).values, again.select(shared).values
    return found


def foreign(track: CoefficientTrack, folder: Path) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Write a track as other programs do; return the files by kind, with what has to be stated to read them."""
    rows = track.values.tolist()
    table = ["time;" + ";".join(track.names)]
    table += [f"{n / track.fps:.6f};".replace(".", ",") + ";".join(f"{v:.7f}".replace(".", ",") for v in row)
              for n, row in enumerate(rows)]  # fmt: skip
    (folder / "semicolons.csv").write_text("\ufeff" + "\r\n".join(table), encoding="utf-8")
    matrix = {"exportFps": track.fps, "facsNames": list(track.names), "weightMat": rows}
    (folder / "matrix.json").write_text(json.dumps(matrix))
    named = [
        {
            "timestamp_ms": round(1000 * n / track.fps),
            "blendshapes": [{"categoryName": name, "score": value} for name, value in zip(track.names, row)],
        }
        for n, row in enumerate(rows)
    ]
    (folder / "categories.json").write_text(json.dumps(named))
    np.save(folder / "array.npy", track.values.astype(np.float32)[None])
    return {
        "table, decimal commas": (folder / "semicolons.csv", {}),
        "JSON, matrix": (folder / "matrix.json", {}),
        "JSON, categories": (folder / "categories.json", {}),
        "array": (folder / "array.npy", {"names": track.names, "fps": track.fps}),
    }


def _geometry(rig: BlendshapeRig) -> Array:
    return np.concatenate([rig.neutral.vertices[None], rig.deltas])


def read_usd(file: Path, rig: BlendshapeRig, frames: int) -> tuple[Array, Array]:
    """Return weights (T, K) and geometry (1 + K, V, 3) by USD's own library, in the rig's order of shapes."""
    from pxr import Usd, UsdGeom, UsdSkel

    stage = Usd.Stage.Open(str(file))
    mesh, animation = stage.GetPrimAtPath("/Face/Mesh"), UsdSkel.Animation(stage.GetPrimAtPath("/Face/Animation"))
    order = [list(animation.GetBlendShapesAttr().Get()).index(name) for name in rig.names]
    weights = np.array([animation.GetBlendShapeWeightsAttr().Get(frame) for frame in range(frames)])[:, order]
    binding = UsdSkel.BindingAPI(mesh)
    targets = dict(zip(binding.GetBlendShapesAttr().Get(), binding.GetBlendShapeTargetsRel().GetTargets()))
    geometry = np.zeros((1 + len(rig.names), rig.neutral.n_vertices, 3))
    geometry[0] = UsdGeom.Mesh(mesh).GetPointsAttr().Get()
    for row, name in zip(geometry[1:], rig.names):
        shape = UsdSkel.BlendShape(stage.GetPrimAtPath(targets[name]))
        row[np.array(shape.GetPointIndicesAttr().Get())] = shape.GetOffsetsAttr().Get()
    return weights, geometry


def measure(clips: list[tuple[Path, str]]) -> dict[str, dict[str, float]]:
    """Return largest and root mean square (RMS) difference of every exporter, and the RMS of what it was given."""
    largest: dict[str, float] = defaultdict(float)
    squares: dict[str, list[Array]] = defaultdict(lambda: [np.zeros(3)])
    with tempfile.TemporaryDirectory() as folder:
        for path, sentence in clips:
            for name, (given, back) in differences(path, sentence, Path(folder)).items():
                away = back - given
                largest[name] = max(largest[name], float(np.abs(away).max()))
                squares[name].append(np.array([(away**2).sum(), (given**2).sum(), away.size]))
    result: dict[str, dict[str, float]] = {}
    for name, parts in squares.items():
        away, given, count = np.sum(parts, axis=0)
        result[name] = {"largest": largest[name], "rms": float(np.sqrt(away / count)),
                        "rms_given": float(np.sqrt(given / count))}  # fmt: skip
    return result


def main() -> int:
    """Measure, print a table and write JSON; 1 if an exporter leaves its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path, help="folder of shards with their rigs")
    parser.add_argument("--every", type=int, default=7, help="take every n-th clip")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "export.json")
    options = parser.parse_args()
    clips = sample(options.shards, options.every)
    if not clips:
        parser.error(f"no clips in {options.shards}: build some with blendvoca build")
    result = measure(clips)
    print(f"{'exporter':<27}{'largest':>10}{'RMS':>10}{'RMS given':>11}{'bound':>9}  ({len(clips)} clips)")
    for name, figures in result.items():
        bound = f"{BOUNDS[name]:.0e}" if name in BOUNDS else "lossy"
        print(f"{name:<27}{figures['largest']:>10.2g}{figures['rms']:>10.2g}{figures['rms_given']:>11.2g}{bound:>9}")
    document: dict[str, Any] = {"clips": len(clips), "speakers": len({path for path, _ in clips}),
                                "machine": machine.describe(), "exporters": result}  # fmt: skip
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=2) + "\n")
    return int(any(result[name]["largest"] > bound for name, bound in BOUNDS.items() if name in result))


if __name__ == "__main__":
    sys.exit(main())
