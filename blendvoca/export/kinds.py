"""Kinds of files that a track can be written as."""

from __future__ import annotations

#: Kinds of output with the suffix a file of theirs gets by default.
KINDS: dict[str, str] = {
    "glb": ".glb", "usd": ".usdc", "livelink": ".csv", "csv": ".csv", "json": ".json", "oculus": ".json",
    "vrm": ".json", "vrma": ".vrma", "vrma-arkit": ".vrma",
}  # fmt: skip
#: Kinds that hold a face, and so need a rig.
WITH_RIG = ("glb", "usd")
