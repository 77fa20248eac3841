"""The demo model that ships: its lips follow sentences and a voice that are not in the sample it was trained on."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("espeakng_loader", reason="pip install 'blendvoca[demo]' brings the sample's voice")

from blendvoca.synthetic.coarticulation import Style, coefficients
from blendvoca.synthetic.sentences import SENTENCE_TEXTS
from blendvoca.synthetic.speech import VOICES, Voice, say
from said_model import SAiD
from said_model.checkpoints.folder import DEMO

UNSEEN = (
    "A bumblebee hovered above the open window and would not leave.",
    "Pour the warm soup slowly into those small wooden bowls.",
    "My father always forgot where he parked the old blue van.",
)
VOICE = Voice("en-us+f1", 156, 66, 50)


def test_lips_follow_unseen_sentences_and_an_unseen_voice():
    assert VOICE.name not in {voice.name for voice in VOICES}
    assert not set(UNSEEN) & set(SENTENCE_TEXTS)
    model = SAiD.load(DEMO, device="cpu")
    utterances = [say(text, VOICE) for text in UNSEEN]
    truth = [coefficients(utterance, Style(), np.random.default_rng(0)) for utterance in utterances]
    drawn = [model.sample(utterance.sound, seed=seed) for seed, utterance in enumerate(utterances)]

    def likeness(shift: int) -> float:
        """Mean correlation of the jaw with the truth of the sentence ``shift`` places on."""
        values = []
        for place, track in enumerate(drawn):
            other = truth[(place + shift) % len(truth)]
            count = min(len(track), len(other))
            jaws = [motion.values[:count, motion.columns(["jawOpen"])[0]] for motion in (track, other)]
            values.append(np.corrcoef(*jaws)[0, 1])
        return float(np.mean(values))

    assert likeness(0) > 0.7
    assert likeness(0) > likeness(1) + 0.4
    assert likeness(0) > likeness(2) + 0.4
    # The same seed gives the same sample, another seed another one.
    again, other = (model.sample(utterances[0].sound, seed=seed).values for seed in (0, 9))
    np.testing.assert_array_equal(again, drawn[0].values)
    assert np.abs(other - again).mean() > 1e-3
