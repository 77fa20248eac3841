"""Speech encoders: a waveform in, one feature vector for each animation frame out.

``build(config)`` makes the encoder that a configuration names: the paper's wav2vec 2.0 and its relatives
(:mod:`said_model.audio_encoder.pretrained`), Whisper's (:mod:`said_model.audio_encoder.whisper`), or log-mel patches
that need no weights (:mod:`said_model.audio_encoder.log_mel`).
"""

from __future__ import annotations

from said_model.audio_encoder.base import AudioEncoder as AudioEncoder
from said_model.audio_encoder.level import normalise as normalise
from said_model.config import LOG_MEL, EncoderConfig


def build(config: EncoderConfig) -> AudioEncoder:
    """Make an encoder without reading or fetching weights.

    :raises ConfigurationError: for settings that the encoder does not know.
    :raises MissingDependencyError: without transformers, where the encoder is one of theirs.
    """
    if config.name == LOG_MEL:
        from said_model.audio_encoder.log_mel import LogMelEncoder

        return LogMelEncoder.from_settings(config.settings)
    from said_model.audio_encoder.pretrained import build_pretrained

    return build_pretrained(config)
