"""ARKit coefficients as JSON: one dictionary a frame, for browsers and scripts."""

from __future__ import annotations

import json
from os import PathLike

from blendvoca.io.atomic import write_text
from blendvoca.track import CoefficientTrack

#: Digits that bring a float32 coefficient back exactly.
_DIGITS = 9


def write_json(path: str | PathLike[str], track: CoefficientTrack) -> None:
    """Write ``{"fps", "frames": [{"time", "blendShapes": {name: value}}]}``; the error is below 1e-9."""
    frames = [
        {
            "time": round(frame / track.fps, _DIGITS),
            "blendShapes": {name: round(float(value), _DIGITS) for name, value in zip(track.names, row)},
        }
        for frame, row in enumerate(track.values)
    ]
    write_text(path, json.dumps({"fps": track.fps, "frames": frames}, separators=(",", ":")))
