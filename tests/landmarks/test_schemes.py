"""Known topologies and their lists; the scheme agrees with real faces."""

import numpy as np
import pytest

from blendvoca.errors import ConfigurationError, MissingInputError
from blendvoca.ibug68 import GROUPS
from landmarks.assets import find_asset
from landmarks.schemes import head_indices, recognise, topologies, topology_landmarks


def test_blink_of_the_left_acts_at_the_left_eye(assets) -> None:
    from landmarks.sources import load_source

    source = load_source("arkit", assets=assets)
    motion = np.linalg.norm(source.rig.delta("eyeBlinkLeft"), axis=1)[source.landmarks]
    assert 42 <= motion.argmax() <= 47
    assert motion[list(GROUPS["eye_right"])].max() < 0.01 * motion.max()


def test_known_topologies_bring_their_lists(assets) -> None:
    assert recognise(5023, 9976).name == "flame"
    assert recognise(5023, 17) is None
    for name, facts in topologies().items():
        indices = topology_landmarks(name, assets)
        assert len(np.unique(indices)) == 68
        assert indices.max() < facts.vertices
    head = head_indices("flame", assets)
    # The published lists agree: the head's landmarks are the whole head's, counted within the region.
    assert (head[topology_landmarks("flame-head", assets)] == topology_landmarks("flame", assets)).all()


def test_unknown_or_missing_topology_is_named(tmp_path, monkeypatch) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'flame'"):
        topology_landmarks("flam")
    with pytest.raises(ConfigurationError, match="no head region"):
        head_indices("arkit")
    monkeypatch.delenv("BLENDVOCA_ASSETS", raising=False)
    monkeypatch.setenv("BLENDVOCA_CACHE", str(tmp_path))
    with pytest.raises(MissingInputError, match=r"FLAME_landmarks\.txt") as caught:
        topology_landmarks("flame")
    assert str(tmp_path) in str(caught.value)


def test_a_missing_file_is_named_with_the_command_that_fetches_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BLENDVOCA_ASSETS", str(tmp_path))
    monkeypatch.setenv("BLENDVOCA_CACHE", str(tmp_path / "cache"))
    with pytest.raises(MissingInputError, match="blendvoca download arkit-reference"):
        find_asset("FLAME_landmarks.txt")
    with pytest.raises(MissingInputError, match="blendvoca download --list"):
        find_asset("nobody_has_this.txt")
