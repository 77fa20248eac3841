"""Pictures on pages stand on light and on dark: their background is transparent."""

import numpy as np

from blendvoca.view.page.document import cut_out
from blendvoca.view.shading import BACKGROUND


def test_the_background_is_transparent_and_what_is_drawn_is_not() -> None:
    picture = np.tile(np.rint(255 * np.array(BACKGROUND)).astype(np.uint8), (40, 40, 1))
    picture[10:30, 10:30] = (200, 120, 90)
    picture[9, 10:30] = (220, 180, 170)  # a smoothed edge: half of it is background
    found = cut_out(picture)
    assert found.shape == (40, 40, 4)
    assert (found[:8, :, 3] == 0).all() and (found[15:25, 15:25, 3] == 255).all()
    assert (found[9, 15:25, 3] == 128).all() and (found[9, 15:25, :3] == (200, 120, 90)).all()
    assert (found[15:25, 15:25, :3] == picture[15:25, 15:25]).all()


def test_a_picture_without_background_stays_whole() -> None:
    picture = np.full((8, 8, 3), 90, np.uint8)
    assert (cut_out(picture)[..., 3] == 255).all()
