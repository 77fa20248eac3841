"""Seeing: pictures, videos and pages of heads, clips and datasets.

The names below are the public interface; they are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blendvoca.internal.lazy import lazy_names

if TYPE_CHECKING:
    from blendvoca.view.camera import Camera as Camera
    from blendvoca.view.inspect.content import Choice as Choice
    from blendvoca.view.inspect.content import gather as gather
    from blendvoca.view.inspect.page import write_page as write_page
    from blendvoca.view.render import Renderer as Renderer
    from blendvoca.view.report import build_report as build_report
    from blendvoca.view.sheet import shape_sheet as shape_sheet
    from blendvoca.view.sheet import write_png as write_png
    from blendvoca.view.syncnet import syncnet_pictures as syncnet_pictures
    from blendvoca.view.video import write_video as write_video

_HOMES = {
    "Camera": "camera",
    "Choice": "inspect.content",
    "Renderer": "render",
    "build_report": "report",
    "gather": "inspect.content",
    "shape_sheet": "sheet",
    "syncnet_pictures": "syncnet",
    "write_page": "inspect.page",
    "write_png": "sheet",
    "write_video": "video",
}

__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
