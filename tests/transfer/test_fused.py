"""Lips that are grown together: how long the skin between them is, and what the source's shapes become."""

from __future__ import annotations

import numpy as np
import pytest
import rigging_builders

from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import MOUTH
from blendvoca.mesh import Mesh
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.transfer import transfer_rig
from blendvoca.transfer.openings.fused import FOLD, OPEN, FusedLips, is_fold, skin_between

NAMES = ("jawOpen", "mouthClose", "mouthFunnel", "mouthUpperUpLeft", "mouthLowerDownLeft", "mouthSmileLeft")


def of(mesh: Mesh) -> Surface:
    return Surface(mesh.vertices, mesh.faces)


@pytest.fixture(scope="module")
def source():  # type: ignore[no-untyped-def]
    """The sample's mask and its landmarks."""
    return SyntheticHead().rig("mask", NAMES), SyntheticHead().landmarks("mask")


def test_a_slit_has_no_skin_between_its_lips() -> None:
    for mesh, marks in (SyntheticHead().mask(), SyntheticHead().head(), rigging_builders.hollow_bust(),
                        rigging_builders.welded_teeth()):  # fmt: skip
        assert skin_between(of(mesh), marks) is None


@pytest.mark.parametrize(("depth", "mouth"), [(-0.003, False), (0.002, True)])
def test_a_shallow_mouth_is_no_skin_between_the_lips(depth: float, mouth: bool) -> None:
    """Multiface's heads end in a pocket half a lip deep; what bulges forward is skin."""
    mesh, marks = SyntheticHead().mask()
    filled = rigging_builders.filled(mesh, marks, (MOUTH,), bulge=-depth)
    assert (skin_between(of(filled), marks) is None) == is_fold(of(filled), marks) == mouth


def test_the_skin_is_as_long_as_the_way_over_it() -> None:
    """Across one row of shared vertices the way is hardly longer than the straight line, and longer than none."""
    mesh, marks = rigging_builders.bust()
    points = mesh.vertices[marks]
    straight = min(np.linalg.norm(points[a] - points[b]) for a, b in MOUTH.pairs)
    width = np.linalg.norm(points[60] - points[64])
    found = skin_between(of(mesh), marks)
    assert found is not None and straight <= found * width < 1.6 * straight
    larger = Surface(1000.0 * mesh.vertices, mesh.faces)
    assert skin_between(larger, marks) == pytest.approx(found)


def test_shapes_part_by_their_share_and_move_by_their_mean(source) -> None:  # type: ignore[no-untyped-def]
    rig, marks = source
    fused = FusedLips(of(rig.neutral), marks, 0.25)
    wanted, found = rig.deltas, fused.damped(rig.deltas, NAMES)
    upper, lower = (marks[list(rows)] for rows in (MOUTH.upper, MOUTH.lower))
    own, damped = (each[:, upper] - each[:, lower] for each in (wanted, found))
    lips = [NAMES.index(name) for name in ("mouthFunnel", "mouthUpperUpLeft", "mouthLowerDownLeft")]
    assert np.abs(damped[lips] - 0.25 * own[lips]).max() < 1e-3
    mean = [(each[:, upper] + each[:, lower]) / 2 for each in (wanted, found)]
    assert np.abs(mean[0][lips] - mean[1][lips]).max() < 1e-3
    # What is no lip stays, and what parts nothing changes nothing.
    rest = marks[:48]
    assert np.array_equal(found[2:, rest], wanted[2:, rest])
    assert np.abs(found[5] - wanted[5]).max() < 0.1 * np.abs(wanted[5]).max()


def test_jaw_and_closing_add_up_to_what_they_did(source) -> None:  # type: ignore[no-untyped-def]
    rig, marks = source
    fused = FusedLips(of(rig.neutral), marks, 0.1)
    found = fused.damped(rig.deltas, NAMES)
    assert np.abs(found[0] + found[1] - rig.deltas[0] - rig.deltas[1]).max() < 1e-3
    chin = marks[8]
    assert np.linalg.norm(found[0, chin]) > 0.9 * np.linalg.norm(rig.deltas[0, chin] + rig.deltas[1, chin])


def test_damping_is_linear(source) -> None:  # type: ignore[no-untyped-def]
    rig, marks = source
    fused = FusedLips(of(rig.neutral), marks, 0.3)
    some = fused.damped(rig.deltas[2:4], NAMES[2:4])
    both = fused.damped(rig.deltas[2:3] + 2.0 * rig.deltas[3:4], NAMES[2:3])
    assert np.allclose(both[0], some[0] + 2.0 * some[1], atol=1e-12)


def test_a_bust_opens_its_jaw_with_closed_lips(source) -> None:  # type: ignore[no-untyped-def]
    mesh, marks = rigging_builders.bust()
    result = transfer_rig(*source, mesh, marks)
    assert any("grown together" in note for note in result.prepared.notes)
    assert result.report.failed_figures == () and result.report.failed_shapes == ()
    jaw = result.rig.delta("jawOpen")
    assert np.linalg.norm(jaw[marks[8]]) > 0.02
    share = skin_between(of(mesh), marks) / OPEN  # type: ignore[operator]
    parting = np.linalg.norm(source[0].delta("jawOpen")[source[1][66]] - source[0].delta("jawOpen")[source[1][62]])
    assert np.linalg.norm(jaw[marks[66]] - jaw[marks[62]]) < 1.5 * share * parting < 0.2 * parting


def test_a_fold_opens_and_its_skin_is_drawn_out_evenly(source) -> None:  # type: ignore[no-untyped-def]
    mesh, marks = SyntheticHead().mask()
    fold = rigging_builders.filled(mesh, marks, (MOUTH,), bulge=-0.002)
    result = transfer_rig(*source, fold, marks)
    assert FOLD in result.prepared.notes
    jaw, wanted = result.rig.delta("jawOpen"), source[0].delta("jawOpen")
    parted, asked = (np.linalg.norm(each[at[66]] - each[at[62]]) for each, at in ((jaw, marks), (wanted, source[1])))
    assert parted > 0.9 * asked
    assert result.report.figures["roughness_mm"] < 5.0
