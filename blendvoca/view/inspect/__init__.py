"""A page to look at speakers and clips: one self-contained HTML file (``blendvoca inspect``)."""

from blendvoca.view.inspect.content import Choice, Content, gather
from blendvoca.view.inspect.page import render_page, write_page

__all__ = ["Choice", "Content", "gather", "render_page", "write_page"]
