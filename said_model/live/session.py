"""Sound in, frames out: reads, draws and sends at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from said_model.config import SAMPLE_RATE
from said_model.live.clock import Pacer, SoundClock
from said_model.live.frame import Frame, Output, Report
from said_model.live.sources import Samples
from said_model.synthesis.idle import Idle
from said_model.synthesis.stream import Streamer

#: Seconds of sound that may wait; what is older is skipped.
MOST_WAITING = 2.0
#: Sections that are drawn for practice.
_TRIALS = 6
#: How many times the time to draw a section is kept in hand, and seconds on top.
_MARGIN, _SPARE = 2.0, 0.02


@dataclass
class Live:
    """A stream of sound that becomes frames.

    :param start: begins a stream of the model.
    :param names: of its coefficients.
    :param idle: blinks, eyes and head that are added, if any.
    :param on_report: is called with what the user should know.
    :param now: seconds of a clock that never goes back.
    """

    start: Callable[[], Streamer]
    names: Sequence[str]
    idle: Idle | None
    on_report: Report
    now: Callable[[], float] = time.monotonic
    _waiting: queue.Queue[tuple[int, Samples] | BaseException | None] = field(default_factory=queue.Queue)

    def prepare(self) -> float:
        """Draw once, so that kernels are ready; return the seconds that a section takes."""
        streamer = self.start()
        taken: list[float] = []
        piece = torch.zeros(round(streamer.config.chain.hop / streamer.fps * SAMPLE_RATE))
        while len(taken) < _TRIALS:
            began = self.now()
            if len(streamer.push(piece)):
                taken.append(self.now() - began)
        return float(np.median(taken[1:]))

    def frames(self, values: Tensor, first: int, fps: float) -> Iterator[Frame]:
        """Yield frames of drawn coefficients (T, K), with what is added to them.

        :param values: of consecutive frames.
        :param first: number of the first.
        :param fps: frames per second.
        """
        table = values.clamp(0, 1).double().cpu().numpy()
        extra, head = self.idle.at(first, len(table)) if self.idle is not None else (np.zeros((len(table), 0)), None)
        more = self.idle.names if self.idle is not None else ()
        for row, values_of_row in enumerate(table):
            found = dict(zip(self.names, values_of_row.tolist()))
            for name, value in zip(more, extra[row].tolist()):
                found[name] = max(found.get(name, 0.0), value)
            angles = None if head is None else (float(head[row, 0]), float(head[row, 1]), float(head[row, 2]))
            yield Frame(first + row, (first + row) / fps, found, angles)

    def run(self, source: Iterator[Samples], outputs: Sequence[Output], delay: float) -> Pacer:
        """Send frames until the sound ends; return what was sent and dropped.

        :param source: samples at 16 kHz; what comes faster than sound does waits for its time.
        :param outputs: take the frames.
        :param delay: seconds from a frame's sound to its packet.
        """
        clock, streamer = SoundClock(self.now), self.start()
        pacer = Pacer(clock, delay, streamer.fps, outputs, self.on_report)
        threading.Thread(target=self._read, args=(source, clock), daemon=True).start()
        first, skipped = 0, 0.0
        try:
            while (entry := self._waiting.get()) is not None:
                if isinstance(entry, BaseException):
                    raise entry
                position, samples = entry
                behind = self.now() - clock.when(position / SAMPLE_RATE)
                if behind > MOST_WAITING:
                    # Too slow to catch up: go on from the newest sound.
                    skipped += len(samples) / SAMPLE_RATE
                    streamer, first = self.start(), round((position + len(samples)) / SAMPLE_RATE * streamer.fps)
                    continue
                drawn = streamer.push(samples)
                first = self._send(pacer, drawn, first, streamer.fps)
            self._send(pacer, streamer.finish(), first, streamer.fps)
        finally:
            pacer.finish()
            if skipped:
                self.on_report(f"this machine computes too slowly: {skipped:.1f} s of sound were skipped")
        return pacer

    def _send(self, pacer: Pacer, drawn: Tensor, first: int, fps: float) -> int:
        for frame in self.frames(drawn, first, fps):
            pacer.put(frame)
        return first + len(drawn)

    def _read(self, source: Iterator[Samples], clock: SoundClock) -> None:
        """Hand sound on at its own pace."""
        position = 0
        try:
            for samples in source:
                early = clock.heard(position + len(samples))
                if early:
                    time.sleep(early)
                self._waiting.put((position, samples))
                position += len(samples)
            self._waiting.put(None)
        except BaseException as error:
            self._waiting.put(error)


def delay_of(waits: float, section_seconds: float) -> float:
    """Return the seconds that frames go out after their sound.

    :param waits: seconds that a frame waits for its sound.
    :param section_seconds: that drawing a section takes.
    """
    return waits + _MARGIN * section_seconds + _SPARE
