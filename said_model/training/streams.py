"""Random numbers that are functions of (seed, stream, step, place), the same on every device and in blocks of any size.

Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") over int64 tensors: a key and a
counter go in, four words of 32 bits come out. Nothing is kept between calls, so a resumed run draws what an undisturbed
one would have drawn, and a step draws the same whether it is drawn alone or with a hundred others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
#: Streams of a training; each has numbers of its own.
ORDER, WINDOWS, NOISE, TIMES, DROPOUT = range(5)


def philox(counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[int, int]) -> Tensor:
    """Return (…, 4) words, 0 to 2³² - 1 in int64, of counters (…) each of four such words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        # The high word of a product that overflows is still right: arithmetic is modulo 2⁶⁴.
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            ((second >> 32) & WORD) ^ c1 ^ k0, second & WORD, ((first >> 32) & WORD) ^ c3 ^ k1, first & WORD,
        )  # fmt: skip
        k0, k1 = (k0 + _WEYL[0]) & WORD, (k1 + _WEYL[1]) & WORD
    return torch.stack(torch.broadcast_tensors(c0, c1, c2, c3), dim=-1)


def words(seed: int, stream: int, steps: Tensor, count: int, rank: int = 0) -> Tensor:
    """Return (n, count) words for (n,) steps.

    :param stream: one of this module's.
    :param rank: of the process; every process has numbers of its own.
    """
    places = torch.arange(-(-count // 4), device=steps.device)
    counter = (places[None], steps[:, None] & WORD, (steps[:, None] >> 32) & WORD, torch.full_like(places[None], rank))
    key = (seed & WORD, ((seed >> 32) & WORD) ^ (stream << 24))
    return philox(counter, key).flatten(1)[:, :count]


def below(word: Tensor, limit: Tensor | int) -> Tensor:
    """Turn words to whole numbers 0 to ``limit`` - 1, even but for 2⁻³² of it."""
    return (word * limit) >> 32


def chance(word: Tensor, probability: float) -> Tensor:
    """Turn words to booleans that are true with a probability."""
    return word < round(probability * (WORD + 1))


def normal(word: Tensor) -> Tensor:
    """Turn (…, 2m) words to (…, 2m) standard normal float32 numbers (Box and Muller)."""
    half = word.shape[-1] // 2
    radius = (((word[..., :half] + 1).float() * 2.0**-32).log() * -2).sqrt()
    angle = word[..., half:].float() * (2 * math.pi * 2.0**-32)
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=-1)


class StepDropout(nn.Module):
    """Dropout whose choice is a function of (seed, layer, step, place), in the place of :class:`torch.nn.Dropout`.

    :param p: probability of a zero.
    :param choices: of all layers of the network, this one's in the place ``number``.
    """

    def __init__(self, p: float, choices: DropoutChoices, number: int) -> None:
        super().__init__()
        self.p, self.choices, self.number = p, choices, number

    def forward(self, x: Tensor) -> Tensor:
        """(…) to (…), scaled so that the mean stays."""
        if not self.training or self.p == 0:
            return x
        return x * self.choices.kept[self.number].view(x.shape).to(x.dtype)


class DropoutChoices:
    """What all dropouts of a network keep in a step, drawn together: a step has few operators then.

    A hash of 32 bits (the finaliser of MurmurHash3) is enough here, and cheap enough for a CPU.

    :param p: probability of a zero, of each layer: (L,) numbers.
    :param salts: (L,) int32, of seed, process and layer.
    """

    def __init__(self, p: Sequence[float], salts: Tensor) -> None:
        self.salts = salts[:, None]
        self.limits = torch.tensor([[round(chance * 2**24)] for chance in p], dtype=torch.int32, device=salts.device)
        self.scales = torch.tensor([[1 / (1 - chance)] for chance in p], device=salts.device)
        #: (L, places) what values are multiplied by: 0, or 1 / (1 - p).
        self.kept = torch.empty(len(p), 0, device=salts.device)

    def reserve(self, places: int) -> None:
        """Make room for layers of so many values."""
        if self.kept.shape[1] != places:
            self.kept = torch.empty(len(self.kept), places, device=self.salts.device)

    def draw(self, step: Tensor) -> None:
        """Draw a step.

        :param step: zero-dimensional int32, the step's word (:func:`step_words`).
        """
        place = torch.arange(self.kept.shape[1], dtype=torch.int32, device=self.salts.device)
        mixed = (place ^ step) * -1640531535 + self.salts
        for shift, factor in ((16, -2048144789), (13, -1028477387)):
            mixed = (mixed ^ (mixed >> shift)) * factor
        torch.mul((mixed >> 8 & 0xFFFFFF) >= self.limits, self.scales, out=self.kept)


def step_words(seed: int, steps: Tensor) -> Tensor:
    """Return (n,) int32 words that :class:`StepDropout` takes for (n,) steps."""
    mixed = words(seed, DROPOUT, steps, 1)[:, 0]
    return (mixed - (mixed >> 31 << 32)).int()


def replace_dropout(module: nn.Module, seed: int, rank: int, device: torch.device) -> DropoutChoices:
    """Put :class:`StepDropout` in the place of every dropout of a module; what was put there before is put anew.

    :param device: of the module.
    :returns: what they keep, to be drawn before every step.
    """
    found = [
        (part, child, layer)
        for part in module.modules()
        for child, layer in part.named_children()
        if isinstance(layer, (nn.Dropout, StepDropout))
    ]
    salts = words(seed, DROPOUT, torch.arange(len(found)), 2, rank)[:, 1] - 2**31
    choices = DropoutChoices([layer.p for _, _, layer in found], salts.int().to(device))
    for number, (part, child, layer) in enumerate(found):
        setattr(part, child, StepDropout(layer.p, choices, number).train(layer.training))
    return choices
