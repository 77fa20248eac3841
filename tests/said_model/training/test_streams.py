"""Counter-based random numbers: the published test vectors, their distributions, independence of blocks."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from said_model.training import streams  # noqa: E402

FULL = streams.WORD


# Known answers of philox4x32-10 that come with its authors' library (Random123).
@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((FULL, FULL, FULL, FULL), (FULL, FULL), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter, key, answer):
    assert tuple(streams.philox(tuple(torch.tensor([word]) for word in counter), key)[0].tolist()) == answer


def test_numbers_are_those_of_their_step_in_blocks_of_any_size():
    whole = streams.words(7, streams.NOISE, torch.arange(20), 30)
    parts = [streams.words(7, streams.NOISE, torch.arange(at, at + 5), 30) for at in range(0, 20, 5)]
    assert torch.equal(whole, torch.cat(parts)) and len(whole.unique()) == whole.numel()
    for other in (
        streams.words(8, streams.NOISE, torch.arange(20), 30),
        streams.words(7, streams.TIMES, torch.arange(20), 30),
        streams.words(7, streams.NOISE, torch.arange(20), 30, rank=1),
    ):
        assert not (other == whole).any()


def test_distributions():
    word = streams.words(3, streams.NOISE, torch.arange(50), 4000)
    z = streams.normal(word)
    assert abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01 and abs(z.pow(4).mean() - 3) < 0.1 and z.abs().max() > 4
    assert torch.isfinite(streams.normal(torch.tensor([[0, FULL, 0, FULL]]))).all()
    counts = torch.bincount(streams.below(word, 7).flatten(), minlength=7) / word.numel()
    assert (counts - 1 / 7).abs().max() < 0.005
    assert abs(streams.chance(word, 0.1).float().mean() - 0.1) < 0.005
    assert not streams.chance(word, 0.0).any() and streams.chance(word, 1.0).all()


def test_dropout_is_a_function_of_seed_layer_and_step():
    step = torch.zeros((), dtype=torch.int32)
    layers = nn.Sequential(nn.Dropout(0.1), nn.Linear(4, 4), nn.Dropout(0.1))
    choices = streams.replace_dropout(layers, 0, 0, torch.device("cpu"))
    x = torch.ones(8, 100, 192)
    choices.reserve(x.numel())
    zeros = []
    for word in streams.step_words(0, torch.arange(30)):
        step.copy_(word)
        choices.draw(step)
        y = layers[0](x)
        assert torch.equal(y, layers[0](x)) and not torch.equal(y, layers[2](x))
        zeros.append((y == 0).float())
        assert abs(y.mean() - 1) < 0.01
    drawn = torch.stack(zeros).flatten(1)
    assert abs(drawn.mean() - 0.1) < 1e-3
    # Steps, and neighbours within one, have nothing in common: correlations are those of chance.
    assert (torch.corrcoef(drawn) - torch.eye(30)).abs().max() < 5 / drawn.shape[1] ** 0.5
    centred = torch.stack(zeros) - 0.1
    assert abs((centred[..., 1:] * centred[..., :-1]).mean() / 0.09) < 2e-3
    layers.eval()
    assert torch.equal(layers[0](x), x)
