"""What microphones, rooms and other speakers do to speech: changes of the sound that leave the motion as it is.

Models that saw digitally clean speech only open the mouth to a room's noise (the encoder is given loudness-normalised
sound, in which a pause's noise stands at the level of speech) and do not know strange voices.
:class:`AcousticAugmentation` changes the sound that the encoder is given; the coefficients stay. All follows from
a seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from blendvoca.errors import ConfigurationError
from said_model.config import SAMPLE_RATE
from said_model.training.settings import ACOUSTICS

Samples = NDArray[np.float32]
Sound = NDArray[np.floating]
#: Level in decibels of a clip that holds no speech, against which its noise is set.
_QUIET = -30.0
_FFT, _HOP = 512, 128
#: Decibels under the speech below which a clip pauses, and samples of a block whose level is taken.
_PAUSE, _BLOCK = -35.0, 400


@dataclass(frozen=True)
class AcousticAugmentation:
    """A random room, microphone and voice for every seed.

    :param name: for keys of caches; two augmentations of one name and one version do the same.
    :param noise: lowest and highest signal-to-noise ratio in decibels.
    :param reverberation: probability of a room.
    :param band: probability of a limited band.
    :param voice: largest shift of pitch and formants, as a share.
    :param clipping: probability of clipped peaks.
    :param breath: probability of breaths and clicks of the mouth where the clip pauses.
    """

    name: str = "room"
    noise: tuple[float, float] = (5.0, 90.0)
    reverberation: float = 0.5
    band: float = 0.5
    voice: float = 0.14
    clipping: float = 0.12
    breath: float = 0.5
    version: int = 3

    def apply(self, samples: Samples, seed: int) -> Samples:
        """Return a clip's sound as another microphone would have recorded another speaker.

        :param samples: (S,) at 16 kHz.
        :param seed: the same seed, the same sound.
        :return: (S,), in step with the given sound.
        """
        rng = np.random.default_rng([seed, self.version])
        sound: Sound = samples.astype(np.float32)
        if self.voice > 0 and rng.uniform() < 0.75:
            sound = shift_voice(sound, float(np.exp(rng.uniform(-self.voice, self.voice))))
        if rng.uniform() < self.breath:
            sound = sound + breaths(sound, rng)
        if rng.uniform() < self.reverberation:
            sound = reverberate(sound, float(rng.uniform(0.12, 0.8)), float(rng.uniform(-2.0, 18.0)), rng)
        speech = _active_level(sound)
        sound = sound + speech * 10 ** (-float(rng.uniform(*self.noise)) / 20) * coloured_noise(len(sound), rng)
        sound = equalise(sound, rng, rng.uniform() < self.band)
        if rng.uniform() < self.clipping:
            peak = float(np.abs(sound).max()) * float(rng.uniform(0.15, 0.6))
            sound = np.clip(sound, -peak, peak)
        # Encoders bring sound to one loudness; the level matters against their floor only.
        return (sound * 10 ** (float(rng.uniform(-30.0, 3.0)) / 20)).astype(np.float32)


def augmentation(name: str) -> AcousticAugmentation | None:
    """Return an augmentation by name; ``none`` is none.

    :raises ConfigurationError: for a name that is not of :data:`said_model.training.settings.ACOUSTICS`.
    """
    if name not in ACOUSTICS:
        raise ConfigurationError("unknown acoustic augmentation", expected=ACOUSTICS, found=name)
    return AcousticAugmentation() if name == "room" else None


def coloured_noise(count: int, rng: np.random.Generator) -> Sound:
    """Return noise (S,) of unit level: white to brown, now and then with hum or in slow swells."""
    size = scipy.fft.next_fast_len(count, real=True)
    frequency = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 30.0).astype(np.float32)
    slope = np.float32(rng.uniform(-0.3, 2.2) / 2)
    spectrum = rng.standard_normal((2, len(frequency)), dtype=np.float32) * frequency**-slope
    noise = scipy.fft.irfft(spectrum[0] + 1j * spectrum[1], size)[:count]
    noise /= max(float(noise.std()), 1e-12)
    time = np.arange(count, dtype=np.float32) / SAMPLE_RATE
    if rng.uniform() < 0.25:
        base = float(rng.choice([50.0, 60.0]))
        tones = sum(np.sin(2 * np.pi * (base * k * time + rng.uniform())) / k for k in range(1, 9))
        noise += float(rng.uniform(0.2, 2.0)) * np.asarray(tones)
    if rng.uniform() < 0.25:
        noise *= 1 + 0.7 * np.sin(2 * np.pi * (time * rng.uniform(0.2, 3.0) + rng.uniform()))
    result: Sound = noise / max(float(noise.std()), 1e-12)
    return result


def breaths(sound: Sound, rng: np.random.Generator) -> Sound:
    """Return what a speaker's nose and mouth do in the pauses of a sound: (S,), zero elsewhere.

    Machine voices pause in silence. People breathe in, and their lips and tongues click as they part.
    """
    result = np.zeros(len(sound), dtype=np.float32)
    speech = _active_level(sound)
    for start, end in _pauses(sound, 10 ** (_PAUSE / 20) * speech):
        if rng.uniform() < 0.6:
            count = int((end - start) * rng.uniform(0.4, 1.0))
            first = start + int(rng.integers(end - start - count + 1))
            level = speech * 10 ** (float(rng.uniform(-34.0, -10.0)) / 20)
            result[first : first + count] += level * _breath(count, rng)
        if rng.uniform() < 0.3:
            place, count = int(rng.integers(start, end)), int(rng.integers(30, 160))
            click = rng.standard_normal(count) * np.exp(-np.arange(count) / rng.uniform(8, 60))
            stop = min(place + count, len(sound))
            result[place:stop] += speech * 10 ** (float(rng.uniform(-26.0, -4.0)) / 20) * click[: stop - place]
    return result


def _pauses(sound: Sound, level: float) -> list[tuple[int, int]]:
    """Return where a sound stays under a level for a quarter of a second and more: first and last sample."""
    blocks = sound[: len(sound) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    quiet = np.concatenate([[False], np.sqrt((blocks**2).mean(axis=1)) < level, [False]])
    starts, ends = np.flatnonzero(np.diff(quiet.astype(int)) == 1), np.flatnonzero(np.diff(quiet.astype(int)) == -1)
    spans = zip((starts * _BLOCK).tolist(), (ends * _BLOCK).tolist(), strict=True)
    return [(start, end) for start, end in spans if end - start >= SAMPLE_RATE // 4]


def _breath(count: int, rng: np.random.Generator) -> Sound:
    """Return air through two resonances (S,), of unit level, that swells and fades."""
    size = scipy.fft.next_fast_len(count, real=True)
    frequency = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    centres, widths = rng.uniform(400, 4000, (2, 1)), rng.uniform(200, 1500, (2, 1))
    shape = 0.02 + np.exp(-0.5 * ((frequency - centres) / widths) ** 2).sum(axis=0)
    air = scipy.fft.irfft(scipy.fft.rfft(rng.standard_normal(size)) * shape, size)[:count]
    air *= np.sin(np.pi * (np.arange(count) + 0.5) / count) ** rng.uniform(0.5, 2.0)
    result: Sound = air / max(float(air.std()), 1e-12)
    return result


def reverberate(sound: Sound, seconds: float, direct: float, rng: np.random.Generator) -> Sound:
    """Return sound (S,) in a room; the direct sound keeps its time.

    :param seconds: time in which the reverberation falls by 60 dB.
    :param direct: decibels of the direct sound over the reverberation.
    """
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    tail[: round(0.002 * SAMPLE_RATE)] = 0.0
    # High frequencies die first: what a running mean leaves is mixed in by the time's course.
    dull = np.convolve(tail, np.full(6, 1 / 6), "same")
    share = np.minimum(time / max(seconds, 1e-6) * 2, 1.0)
    tail = (1 - share) * tail + share * dull
    tail *= 10 ** (-direct / 20) / max(float(np.sqrt((tail**2).sum())), 1e-12)
    return sound + scipy.signal.fftconvolve(sound, tail.astype(np.float32))[: len(sound)]


def equalise(sound: Sound, rng: np.random.Generator, narrow: bool) -> Sound:
    """Return sound (S,) through a microphone: a tilt, broad peaks and dips, and a limited band if ``narrow``."""
    size = scipy.fft.next_fast_len(len(sound), real=True)
    frequency = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 20.0).astype(np.float32)
    octave = np.log2(frequency / 1000.0)
    gain = float(rng.uniform(-4.5, 4.5)) * np.clip(octave, -3, 3)
    for _ in range(3):
        centre, width = rng.uniform(-3, 3), rng.uniform(0.3, 1.2)
        gain = gain + rng.uniform(-7, 7) * np.exp(-0.5 * ((octave - centre) / width) ** 2)
    low, high = (rng.uniform(150, 350), rng.uniform(3200, 6000)) if narrow else (rng.uniform(20, 120), 8000.0)
    gain = gain - 24 * np.clip(np.log2(low / frequency), 0, 4) - 36 * np.clip(np.log2(frequency / high), 0, 4)
    factor = (10 ** (gain / 20)).astype(np.float32)
    shaped: Sound = scipy.fft.irfft(scipy.fft.rfft(sound, size) * factor, size)[: len(sound)]
    return shaped


def shift_voice(sound: Sound, factor: float) -> Sound:
    """Return sound (S,) with pitch and formants at ``factor`` times their frequency, in the same time.

    The sound is stretched in time by a phase vocoder and played so much faster.
    """
    import soxr

    stretched = _stretch(sound, factor)
    played = soxr.resample(stretched, SAMPLE_RATE * factor, SAMPLE_RATE)
    return np.pad(played[: len(sound)], (0, max(len(sound) - len(played), 0)))


def _stretch(sound: Sound, factor: float) -> Sound:
    """Make sound last ``factor`` times as long: (S,) to about (S factor,)."""
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    padded = np.pad(sound, (_FFT // 2, _FFT))
    count = (len(padded) - _FFT) // _HOP
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP][:count]
    spectra = scipy.fft.rfft(frames * window, axis=1)
    place = np.arange(0, count - 2, 1 / factor)
    left, share = place.astype(int), (place % 1.0).astype(np.float32)[:, None]
    magnitude = (1 - share) * np.abs(spectra[left]) + share * np.abs(spectra[left + 1])
    advance = np.angle(spectra[left + 1] * np.conj(spectra[left]))
    advance = np.concatenate([np.angle(spectra[:1]), advance[:-1]])
    phase = np.cumsum(advance, axis=0, dtype=np.float64)
    # Whole turns are taken out in double precision: the sum grows without bound.
    phase = np.remainder(phase, 2 * np.pi).astype(np.float32)
    pieces = scipy.fft.irfft(magnitude * np.exp(1j * phase), _FFT, axis=1) * window
    out = np.zeros(len(place) * _HOP + _FFT, dtype=np.float32)
    for start in range(_FFT // _HOP):
        chosen = pieces[start :: _FFT // _HOP]
        first = start * _HOP
        out[first : first + chosen.size] += chosen.reshape(-1)
    result: Sound = out[_FFT // 2 :] / 1.5
    return result


def _active_level(sound: Sound) -> float:
    """Return the level of the louder half of a sound, or of a quiet room where it is silent."""
    blocks = sound[: len(sound) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    levels = np.sqrt((blocks**2).mean(axis=1)) if len(blocks) else np.abs(sound)
    level = float(np.percentile(levels, 80)) if len(levels) else 0.0
    return level if level > 1e-5 else float(10 ** (_QUIET / 20))
