"""When frames go out: as far behind their sound as was stated, at the sound's own pace."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from said_model.config import SAMPLE_RATE
from said_model.live.frame import Frame, Output, Report

#: Seconds by which sound may come late before its clock is set again.
STALL = 0.25
#: Seconds in which every frame was late until the delay grows.
_PATIENCE = 0.5


class SoundClock:
    """When each moment of the sound was.

    :param now: seconds of a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now, self._start = now, 0.0
        self._begun = False

    def heard(self, samples: int) -> float:
        """Take note that so many samples have come by now; return by how many seconds they came early.

        Sound that comes late by more than :data:`STALL` has stalled: the clock goes on from it.
        """
        late = self.now() - samples / SAMPLE_RATE - self._start
        if not self._begun or late > STALL:
            self._begun, self._start = True, self._start + late
            return 0.0
        return max(-late, 0.0)

    def when(self, seconds: float) -> float:
        """Return the moment at which a moment of the sound was."""
        return self._start + seconds


class Pacer:
    """Sends frames at an even rate; late ones are dropped, never sent in a bunch.

    :param clock: of the sound.
    :param delay: seconds from a frame's sound to its packet.
    :param fps: frames per second.
    :param outputs: take the frames.
    :param on_report: is called when the delay has to grow, and at the end with what was dropped.
    """

    def __init__(
        self, clock: SoundClock, delay: float, fps: float, outputs: Sequence[Output], on_report: Report
    ) -> None:
        self.clock, self.delay, self.fps, self.outputs, self.on_report = clock, delay, fps, outputs, on_report
        self.sent, self.dropped, self._late = 0, 0, 0
        self._frames: queue.Queue[Frame | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, frame: Frame) -> None:
        """Take a frame; it goes out when it is due."""
        self._frames.put(frame)

    def finish(self) -> None:
        """Send what is left, each frame when it is due, and say what was dropped."""
        self._frames.put(None)
        self._thread.join()
        if self.dropped:
            self.on_report(f"{self.dropped} of {self.sent + self.dropped} frames came too late and were dropped")

    def _run(self) -> None:
        while (frame := self._frames.get()) is not None:
            wait = self.clock.when(frame.time) + self.delay - self.clock.now()
            if wait < -1 / self.fps:
                self._drop(-wait)
                continue
            if wait > 0:
                time.sleep(wait)
            self._late = 0
            self.sent += 1
            for output in self.outputs:
                output.send(frame)

    def _drop(self, late: float) -> None:
        self.dropped += 1
        self._late += 1
        if self._late >= _PATIENCE * self.fps:
            self._late = 0
            self.delay += late
            self.on_report(f"this machine computes too slowly: frames now go out {self.delay:.2f} s after their sound")
