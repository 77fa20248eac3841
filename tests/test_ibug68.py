"""The 68-point scheme: names, groups, mirror and openings agree with each other."""

import numpy as np

from blendvoca.ibug68 import (
    BLINKS,
    GROUPS,
    INDEX,
    INNER,
    MIDLINE,
    MIRROR,
    MOUTH,
    NAMES,
    OPENINGS,
    RINGS,
    face_axes,
    mirror_landmark,
)
from landmarks.prototype import PROTOTYPE


def test_groups_partition_the_names() -> None:
    assert len(set(NAMES)) == 68
    assert [k for group in GROUPS.values() for k in group] == list(range(68))
    assert all(NAMES[k].startswith(side) for side in ("brow_right", "eye_left") for k in GROUPS[side])


def test_mirror_is_an_involution_that_exchanges_sides() -> None:
    assert (MIRROR[MIRROR] == np.arange(68)).all()
    assert NAMES[MIRROR[36]] == mirror_landmark("eye_right_outer") == "eye_left_outer" == NAMES[45]
    assert [NAMES[k] for k in range(68) if MIRROR[k] == k] == [
        *("chin", "nose_bridge_1", "nose_bridge_2", "nose_bridge_3", "nose_tip", "nose_base"),
        *("upper_lip_middle", "lower_lip_middle", "inner_upper_middle", "inner_lower_middle"),
    ]


def test_midline_is_what_the_mirror_leaves() -> None:
    assert sorted(MIDLINE) == np.flatnonzero(np.arange(68) == MIRROR).tolist()


def test_openings_are_made_of_their_groups() -> None:
    groups = (("lips_inner", "lips_outer"), ("eye_right",), ("eye_left",))
    for opening, names in zip(OPENINGS, groups, strict=True):
        inner = {*opening.corners, *opening.upper, *opening.lower}
        assert inner == set(GROUPS[names[0]])
        assert {*names} <= RINGS
    outer = {*MOUTH.outer_upper, *MOUTH.outer_lower, INDEX["mouth_right_corner"], INDEX["mouth_left_corner"]}
    assert outer == set(GROUPS["lips_outer"])


def test_pairs_face_each_other_and_mirror_onto_each_other() -> None:
    assert MOUTH.pairs == ((61, 67), (62, 66), (63, 65))
    assert [(NAMES[a], NAMES[b]) for a, b in BLINKS["eyeBlinkLeft"].pairs] == [
        ("eye_left_upper_inner", "eye_left_lower_inner"),
        ("eye_left_upper_outer", "eye_left_lower_outer"),
    ]
    mirrored = {(int(MIRROR[a]), int(MIRROR[b])) for a, b in BLINKS["eyeBlinkLeft"].pairs}
    assert mirrored == set(BLINKS["eyeBlinkRight"].pairs)


def test_constants_cannot_be_written() -> None:
    assert not INNER.flags.writeable
    assert not MIRROR.flags.writeable


def test_face_axes_turn_with_the_face() -> None:
    points, turn = PROTOTYPE, np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    axes = face_axes(points)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert (np.diag(axes) > 0.95).all()
    np.testing.assert_allclose(face_axes(points @ turn.T), axes @ turn.T, atol=1e-12)
