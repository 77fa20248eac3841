"""USD: a rig as UsdSkel blend shapes, a track as their animation."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from blendvoca.errors import ConfigurationError, MeshError, MissingDependencyError
from blendvoca.io.atomic import atomic_path
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack

#: Text, binary, either.
SUFFIXES = (".usda", ".usdc", ".usd")


def _pxr() -> ModuleType:
    try:
        import pxr
        from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdSkel, Vt  # noqa: F401  (submodules become attributes)
    except ImportError as error:
        raise MissingDependencyError("usd-core", "usd", "writing USD") from error
    return pxr


def write_usd(path: str | PathLike[str], rig: BlendshapeRig, track: CoefficientTrack | None = None) -> None:
    """Write ``.usda``, ``.usdc`` or ``.usd``: mesh, one UsdSkel blend shape a delta, weights over time.

    Positions and offsets are float32, weights likewise; only moved vertices are stored. The animation names the shapes
    as the rig does; a prim whose shape's name is no USD identifier is called something near it.

    :raises MissingDependencyError: without usd-core.
    :raises MeshError: for a rig without faces.
    :raises ConfigurationError: for another suffix.
    :raises RigError: if the rig lacks a blendshape of the track.
    """
    if rig.neutral.n_faces == 0:
        raise MeshError("USD needs triangles", found="a rig without faces")
    if Path(path).suffix.lower() not in SUFFIXES:
        expected = f"one of {', '.join(SUFFIXES)}"
        raise ConfigurationError("USD goes by the suffix", expected=expected, found=Path(path).name)
    columns = rig.indices(track.names) if track is not None else []
    pxr: Any = _pxr()
    with atomic_path(path) as temporary:
        # The temporary file exists already, and USD refuses to create over a file.
        temporary.unlink()
        stage = pxr.Usd.Stage.CreateNew(str(temporary))
        pxr.UsdGeom.SetStageUpAxis(stage, pxr.UsdGeom.Tokens.y)
        pxr.UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        root = pxr.UsdSkel.Root.Define(stage, "/Face")
        stage.SetDefaultPrim(root.GetPrim())
        mesh = _mesh(pxr, stage, rig)
        animation = pxr.UsdSkel.Animation.Define(stage, "/Face/Animation")
        animation.CreateBlendShapesAttr(list(rig.names))
        weights = animation.CreateBlendShapeWeightsAttr([0.0] * len(rig.names))
        if track is not None:
            stage.SetTimeCodesPerSecond(track.fps)
            stage.SetFramesPerSecond(track.fps)
            stage.SetStartTimeCode(0)
            stage.SetEndTimeCode(len(track) - 1)
            table = np.zeros((len(track), len(rig.names)), dtype=np.float32)
            table[:, columns] = track.values
            for frame, row in enumerate(table):
                weights.Set(pxr.Vt.FloatArray.FromNumpy(row), frame)
        skeleton = pxr.UsdSkel.Skeleton.Define(stage, "/Face/Skeleton")
        skeleton.CreateJointsAttr([])
        binding = pxr.UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
        binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
        pxr.UsdSkel.BindingAPI(mesh.GetPrim()).CreateSkeletonRel().SetTargets([skeleton.GetPath()])
        stage.GetRootLayer().Save()
        # The layer keeps its file by name; let it go before the file is renamed.
        del weights, animation, skeleton, binding, mesh, root, stage


def _mesh(pxr: Any, stage: Any, rig: BlendshapeRig) -> Any:
    """Define the mesh and its blend shapes; return the mesh."""
    mesh = pxr.UsdGeom.Mesh.Define(stage, "/Face/Mesh")
    vectors = pxr.Vt.Vec3fArray.FromNumpy
    points = rig.neutral.vertices.astype(np.float32)
    mesh.CreatePointsAttr(vectors(points))
    mesh.CreateFaceVertexCountsAttr(pxr.Vt.IntArray.FromNumpy(np.full(rig.neutral.n_faces, 3, dtype=np.int32)))
    mesh.CreateFaceVertexIndicesAttr(pxr.Vt.IntArray.FromNumpy(rig.neutral.faces.ravel()))
    mesh.CreateExtentAttr(vectors(np.stack([points.min(axis=0), points.max(axis=0)])))
    mesh.CreateSubdivisionSchemeAttr(pxr.UsdGeom.Tokens.none)
    binding = pxr.UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    targets = []
    for prim, delta in zip(_identifiers(pxr, rig.names), rig.deltas.astype(np.float32)):
        moved = np.flatnonzero(delta.any(axis=1)).astype(np.int32)
        moved = moved if len(moved) else np.zeros(1, dtype=np.int32)
        shape = pxr.UsdSkel.BlendShape.Define(stage, f"/Face/Mesh/{prim}")
        shape.CreateOffsetsAttr(vectors(delta[moved]))
        shape.CreatePointIndicesAttr(pxr.Vt.IntArray.FromNumpy(moved))
        targets.append(shape.GetPath())
    binding.CreateBlendShapesAttr(list(rig.names))
    binding.CreateBlendShapeTargetsRel().SetTargets(targets)
    return mesh


def _identifiers(pxr: Any, names: Sequence[str]) -> list[str]:
    """Return prim names: ASCII identifiers, as every release of USD takes them; such names stay, no two are alike."""
    valid = [pxr.Tf.MakeValidIdentifier(name) for name in names]
    taken = {prim for name, prim in zip(names, valid) if prim == name}
    prims = []
    for name, base in zip(names, valid):
        prim, count = base, 1
        while prim != name and prim in taken:
            count += 1
            prim = f"{base}_{count}"
        taken.add(prim)
        prims.append(prim)
    return prims
