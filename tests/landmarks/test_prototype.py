"""The plain face is symmetric and looks the right way."""

from blendvoca.ibug68 import INDEX, NAMES, TEN_PICKS
from landmarks.alignment import align_face, asymmetry
from landmarks.prototype import PROTOTYPE


def test_prototype_is_symmetric_and_left_is_plus_x() -> None:
    assert asymmetry(align_face(PROTOTYPE).points).max() < 1e-9
    assert PROTOTYPE[INDEX["eye_left_outer"], 0] > 0 > PROTOTYPE[INDEX["eye_right_outer"], 0]
    assert PROTOTYPE[INDEX["nose_tip"], 2] == PROTOTYPE[:, 2].max()
    assert PROTOTYPE[INDEX["chin"], 1] == PROTOTYPE[:, 1].min()
    assert len(TEN_PICKS) == 10
    assert set(TEN_PICKS) <= set(NAMES)
