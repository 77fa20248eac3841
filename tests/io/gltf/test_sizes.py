"""Memory and time of the scene reader grow with the file and no faster."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from gltf_builders import Gltf

from blendvoca.errors import FormatError
from blendvoca.io.rig.gltf_read import read_gltf_rig, read_gltf_track


def _file(path: Path, n_vertices: int, n_shapes: int) -> Path:
    made = Gltf()
    rng = np.random.default_rng(n_vertices)
    # Two materials, so that the seam between them is looked for as well.
    half = (n_vertices // 2, 3)
    halves = [made.primitive(rng.uniform(size=half), [[0, 1, 2]], rng.normal(size=(n_shapes, *half))) for _ in range(2)]
    made.node(name="Face", mesh=made.mesh(*halves, names=tuple(f"shape{n}" for n in range(n_shapes))))
    return made.write(path)


def test_memory_and_time_are_linear(tmp_path):
    peaks, seconds, sizes = [], [], []
    for doubling in range(4):
        path = _file(tmp_path / "a.glb", 2_000 << doubling, 40)
        tracemalloc.start()
        read_gltf_rig(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        tries = []
        for _ in range(3):
            start = time.perf_counter()
            read_gltf_rig(path)
            tries.append(time.perf_counter() - start)
        seconds.append(min(tries))
        sizes.append(path.stat().st_size)
    assert all(peak < 10 * size for peak, size in zip(peaks, sizes))
    assert peaks[-1] < 2.3 * peaks[-2]
    # Eight times the file, in less than thrice eight times the time on a busy machine.
    assert seconds[-1] < 24 * max(seconds[0], 0.005)


def test_shapes_that_cost_the_file_nothing_cost_little(tmp_path):
    made = Gltf()
    primitive = made.primitive(np.random.default_rng(0).uniform(size=(20_000, 3)), [[0, 1, 2]])
    primitive["targets"] = [{"POSITION": made.sparse(20_000, [n], [[0, 1, 0]])} for n in range(150)]
    made.node(mesh=made.mesh(primitive))
    path = made.write(tmp_path / "a.glb")
    tracemalloc.start()
    assert len(read_gltf_rig(path).rig.names) == 150
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 256_000_000


def test_a_long_animation_of_very_many_shapes_is_refused(tmp_path):
    made = Gltf()
    names = tuple(f"shape{n}" for n in range(500))
    resting = made.accessor(np.zeros((4, 3)))
    primitive = made.primitive() | {"targets": [{"POSITION": resting}] * 500}
    node = made.node(mesh=made.mesh(primitive, names=names))
    # Two keys of 500 weights: at 60 fps they would become 300,000 frames, 1.2 GB.
    made.animation(node, [0, 5000], np.zeros((2, 500)))
    with pytest.raises(FormatError, match="is too large"):
        read_gltf_track(made.write(tmp_path / "a.glb"))
