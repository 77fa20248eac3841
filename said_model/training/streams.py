"""Random numbers that are functions of (seed, stream, step, place), the same on every device and in blocks of any size.

Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") over int64 tensors: a key and a
counter go in, four words of 32 bits come out. Nothing is kept between calls, so a resumed run draws what an undisturbed
one would have drawn, and a step draws the same whether it is drawn alone or with a hundred others.
"""

from __future__ import annotations

import math

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

    A hash of 32 bits (the finaliser of MurmurHash3) is enough here, and cheap enough for a CPU.

    :param p: probability of a zero.
    :param salt: of seed, process and layer.
    :param step: zero-dimensional int32, the step's word (:func:`step_words`); the training changes it in place.
    """

    def __init__(self, p: float, salt: int, step: Tensor) -> None:
        super().__init__()
        self.p, self.salt, self.step = p, salt, step

    def forward(self, x: Tensor) -> Tensor:
        """(…) to (…), scaled so that the mean stays."""
        if not self.training or self.p == 0:
            return x
        place = torch.arange(x.numel(), dtype=torch.int32, device=x.device)
        mixed = (place ^ self.step) * -1640531535 + self.salt
        for shift, factor in ((16, -2048144789), (13, -1028477387)):
            mixed = (mixed ^ (mixed >> shift)) * factor
        keep = (mixed >> 8 & 0xFFFFFF) >= round(self.p * 2**24)
        return x * (keep.view(x.shape).to(x.dtype) / (1 - self.p))


def step_words(seed: int, steps: Tensor) -> Tensor:
    """Return (n,) int32 words that :class:`StepDropout` takes for (n,) steps."""
    mixed = words(seed, DROPOUT, steps, 1)[:, 0]
    return (mixed - (mixed >> 31 << 32)).int()


def replace_dropout(module: nn.Module, seed: int, rank: int, step: Tensor) -> None:
    """Put :class:`StepDropout` in the place of every dropout of a module; what was put there before is put anew."""
    found = [
        (part, child, layer)
        for part in module.modules()
        for child, layer in part.named_children()
        if isinstance(layer, (nn.Dropout, StepDropout))
    ]
    salts = words(seed, DROPOUT, torch.arange(max(len(found), 1)), 2, rank)[:, 1] - 2**31
    for (part, child, layer), salt in zip(found, salts.tolist()):
        setattr(part, child, StepDropout(layer.p, salt, step).train(layer.training))
