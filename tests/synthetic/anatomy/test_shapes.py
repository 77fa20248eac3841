"""The 51 shapes do what their names say, and both samplings carry the same ones."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.arkit import BLENDVOCA_NAMES, mirror_name
from blendvoca.errors import ConfigurationError
from blendvoca.geometry.adjacency import undirected_edges
from blendvoca.rig import BlendshapeRig
from blendvoca.synthetic.anatomy.inner_lips import DEPTHS
from blendvoca.synthetic.anatomy.shapes import SHAPE_NAMES, displacement
from blendvoca.synthetic.anatomy.sites import LEFT_EYEBALL, MOUTH_BAG, RIGHT_EYEBALL, SKIN
from blendvoca.synthetic.head import REGIONS, CanonicalHead, SyntheticHead
from blendvoca.synthetic.identity import Identity

FLIP = np.array([-1.0, 1.0, 1.0])
UPPER, LOWER = [61, 62, 63], [67, 66, 65]
UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]


@pytest.fixture(scope="module")
def rigs(average: SyntheticHead) -> dict[str, BlendshapeRig]:
    return {region: average.rig(region) for region in REGIONS}


@pytest.fixture(scope="module")
def rig(rigs: dict[str, BlendshapeRig]) -> BlendshapeRig:
    return rigs["head"]


@pytest.fixture(scope="module")
def marks(average: SyntheticHead) -> np.ndarray:
    return average.landmarks("head")


def test_51_names() -> None:
    assert len(SHAPE_NAMES) == 51
    assert set(BLENDVOCA_NAMES) < set(SHAPE_NAMES)


def test_unknown_shape_is_named(canonical: CanonicalHead) -> None:
    with pytest.raises(ConfigurationError, match="jawOpen"):
        displacement("jawOpne", canonical.mask.sites)


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_both_samplings_carry_the_same_shape(average: SyntheticHead, rigs: dict[str, BlendshapeRig], name: str) -> None:
    here = rigs["head"].delta(name)[average.landmarks("head")]
    there = rigs["mask"].delta(name)[average.landmarks("mask")]
    # Where the two samplings place a landmark differently by rounding, the deltas may differ as little.
    np.testing.assert_allclose(here, there, atol=5e-5)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_mirror_pairs_are_exact(
    canonical: CanonicalHead, rigs: dict[str, BlendshapeRig], region: str, name: str
) -> None:
    mirror = canonical.surface(region).mirror
    opposite = rigs[region].delta(name)[mirror] * FLIP
    np.testing.assert_allclose(rigs[region].delta(mirror_name(name)), opposite, atol=1e-12)


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_size_is_that_of_a_face(rig: BlendshapeRig, name: str) -> None:
    assert 2.5e-3 < np.linalg.norm(rig.delta(name), axis=1).max() < 4e-2


def test_basis_is_well_conditioned(rigs: dict[str, BlendshapeRig]) -> None:
    for region in REGIONS:
        basis = rigs[region].select(BLENDVOCA_NAMES).basis()
        assert np.linalg.cond(basis) < 200  # ARKit's own: 61


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_smooth_along_the_surface(canonical: CanonicalHead, rig: BlendshapeRig, name: str) -> None:
    skin = canonical.head.sites.region == SKIN
    edges = undirected_edges(canonical.head.faces)
    edges = edges[skin[edges].all(axis=1)]
    change = np.linalg.norm(rig.delta(name)[edges[:, 0]] - rig.delta(name)[edges[:, 1]], axis=1)
    length = np.linalg.norm(rig.neutral.vertices[edges[:, 0]] - rig.neutral.vertices[edges[:, 1]], axis=1)
    assert (change < 2e-3 + 5.0 * length).all()


def gaps(
    rig: BlendshapeRig, marks: np.ndarray, names: tuple[str, ...], upper: list[int], lower: list[int]
) -> np.ndarray:
    posed = rig.neutral.vertices + sum((rig.delta(name) for name in names), np.zeros(3))
    return np.linalg.norm(posed[marks[upper]] - posed[marks[lower]], axis=1)


def test_jaw_open_opens_and_mouth_close_closes(rig: BlendshapeRig, marks: np.ndarray) -> None:
    assert gaps(rig, marks, ("jawOpen",), UPPER, LOWER).min() > 0.018
    rest = gaps(rig, marks, (), UPPER, LOWER)
    closed = gaps(rig, marks, ("jawOpen", "mouthClose"), UPPER, LOWER)
    np.testing.assert_allclose(closed, rest, atol=3e-4)
    chin = (rig.delta("jawOpen") + rig.delta("mouthClose"))[marks[8]]
    assert chin[1] < -0.012  # the jaw stays open
    assert np.linalg.norm(chin) > 0.02


LIPS = [n for n in BLENDVOCA_NAMES if n.startswith(("mouth", "jaw")) and n != "mouthClose"]  # it needs the open jaw
PAIRS = [("jawOpen", "mouthClose"), ("mouthPressLeft", "mouthPressRight"), ("mouthRollLower", "mouthRollUpper")]


@pytest.mark.parametrize("names", [*((name,) for name in LIPS), *PAIRS])
def test_lips_never_pass_through_each_other(canonical: CanonicalHead, names: tuple[str, ...]) -> None:
    surface = canonical.head
    bag = np.flatnonzero(surface.sites.region == MOUTH_BAG).reshape(len(DEPTHS), -1)
    opposite = (bag.shape[1] // 2 - np.arange(bag.shape[1])) % bag.shape[1]
    above = np.sin(surface.sites.mouth[1, bag[0]]) > 0.3
    rig = SyntheticHead(Identity(lip_gap=-2.0), canonical).rig("head", names)
    for weight in (0.5, 1.0):
        posed = rig.neutral.vertices + weight * rig.deltas.sum(axis=0)
        gap = (posed[bag] - posed[bag[:, opposite]])[:, above, 1]
        assert gap.min() > -3e-4, (names, weight)


def test_blinks_close_the_lids(rig: BlendshapeRig, marks: np.ndarray) -> None:
    assert gaps(rig, marks, (), UPPER_LIDS, LOWER_LIDS).min() > 6e-3
    assert gaps(rig, marks, ("eyeBlinkLeft", "eyeBlinkRight"), UPPER_LIDS, LOWER_LIDS).max() < 8e-4


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_lids_stay_outside_the_eyeball(canonical: CanonicalHead, rig: BlendshapeRig, side: str) -> None:
    sites = canonical.head.sites
    sign = 1.0 if side == "Left" else -1.0
    centre = 1e-3 * np.array([sign * 31.5, 25.0, 69.5])
    near = (sites.region == SKIN) & (np.linalg.norm(rig.neutral.vertices - centre, axis=1) < 0.02)
    for strength in (0.5, 1.0):
        posed = rig.neutral.vertices[near] + strength * rig.delta(f"eyeBlink{side}")[near]
        assert np.linalg.norm(posed - centre, axis=1).min() > 0.0122


def test_upper_and_lower_lip_are_told_apart(rig: BlendshapeRig, marks: np.ndarray) -> None:
    down, up = rig.delta("mouthLowerDownLeft"), rig.delta("mouthUpperUpLeft")
    assert down[marks[65], 1] < -4e-3
    assert abs(down[marks[63], 1]) < 5e-4
    assert up[marks[63], 1] > 4e-3
    assert abs(up[marks[65], 1]) < 5e-4
    jaw = rig.delta("jawOpen")
    assert jaw[marks[66], 1] < -0.02
    assert abs(jaw[marks[62], 1]) < 2e-3


@pytest.mark.parametrize("name", ["jawOpen", "jawLeft", "jawRight", "jawForward"])
def test_lower_teeth_and_tongue_follow_the_jaw_rigidly(canonical: CanonicalHead, name: str) -> None:
    head = SyntheticHead(Identity(size=1.0, jaw_width=-1.5, chin_length=2.0, jaw_shift=1.0), canonical)
    rig, parts = head.rig("head", (name,)), head.parts()
    jaw = np.concatenate([parts["lower teeth"], parts["tongue"]])
    rest, moved = rig.neutral.vertices[jaw], rig.neutral.vertices[jaw] + rig.delta(name)[jaw]
    centred, turned = rest - rest.mean(axis=0), moved - moved.mean(axis=0)
    u, _, v = np.linalg.svd(turned.T @ centred)
    rotation = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    np.testing.assert_allclose(centred @ rotation.T, turned, atol=1e-9)
    assert np.linalg.norm(rig.delta(name)[jaw], axis=1).min() > 2e-3


def test_what_lies_inside_moves_with_nothing_else(average: SyntheticHead, rig: BlendshapeRig) -> None:
    parts = average.parts()
    for name in SHAPE_NAMES:
        assert not rig.delta(name)[parts["upper teeth"]].any(), name
        if not name.startswith("jaw"):
            assert not rig.delta(name)[parts["lower teeth"]].any(), name
            assert not rig.delta(name)[parts["tongue"]].any(), name


DIRECTIONS = [
    ("mouthSmileLeft", 54, (1, 1, 0)),
    ("mouthFrownLeft", 54, (0, -1, 0)),
    ("mouthStretchLeft", 54, (1, 0, 0)),
    ("mouthPucker", 54, (-1, 0, 0)),
    ("mouthPucker", 62, (0, 0, 1)),
    ("mouthFunnel", 62, (0, 1, 1)),
    ("mouthFunnel", 66, (0, -1, 1)),
    ("mouthLeft", 62, (1, 0, 0)),
    ("jawLeft", 8, (1, 0, 0)),
    ("jawForward", 8, (0, 0, 1)),
    ("mouthRollUpper", 51, (0, -1, 0)),
    ("mouthRollLower", 57, (0, 1, 0)),
    ("mouthShrugLower", 57, (0, 1, 1)),
    ("mouthShrugUpper", 51, (0, 1, 0)),
    ("browInnerUp", 22, (0, 1, 0)),
    ("browDownLeft", 22, (0, -1, 0)),
    ("browOuterUpLeft", 25, (0, 1, 0)),
    ("noseSneerLeft", 35, (0, 1, 0)),
    ("eyeWideLeft", 43, (0, 1, 0)),
    ("eyeSquintLeft", 47, (0, 1, 0)),
    ("eyeLookDownLeft", 43, (0, -1, 0)),
]


@pytest.mark.parametrize(("name", "landmark", "direction"), DIRECTIONS)
def test_landmarks_go_where_the_name_says(
    rig: BlendshapeRig, marks: np.ndarray, name: str, landmark: int, direction: tuple[int, int, int]
) -> None:
    moved = rig.delta(name)[marks[landmark]]
    wanted = np.array(direction)
    assert (moved[wanted != 0] * wanted[wanted != 0] > 4e-4).all()


LEFT = [name for name in SHAPE_NAMES if name.endswith("Left") and name not in ("jawLeft", "mouthLeft")]


@pytest.mark.parametrize("name", LEFT)
def test_shapes_of_the_left_stay_on_the_left(canonical: CanonicalHead, rig: BlendshapeRig, name: str) -> None:
    size = np.linalg.norm(rig.delta(name), axis=1)
    x = rig.neutral.vertices[:, 0]
    assert size[x < -0.02].max() < 0.12 * size.max()


def test_gaze_turns_the_eyeball_only(canonical: CanonicalHead, rig: BlendshapeRig) -> None:
    region = canonical.head.sites.region
    left, right = region == LEFT_EYEBALL, region == RIGHT_EYEBALL
    pupil = np.flatnonzero(left)[-2]
    for name, axis, sign in (("Up", 1, 1), ("Down", 1, -1), ("In", 0, -1), ("Out", 0, 1)):
        delta = rig.delta(f"eyeLook{name}Left")
        assert sign * delta[pupil, axis] > 3e-3
        assert not delta[right].any()
    for name in SHAPE_NAMES:
        if "Look" not in name:
            assert not rig.delta(name)[left | right].any(), name
