"""HTML documents: one style, tables, cards; light and dark as the reader's system asks."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt

from blendvoca.view.render import Picture
from blendvoca.view.shading import BACKGROUND
from blendvoca.view.sheet import pillow


def document(title: str, subtitle: str, sections: Iterable[str]) -> str:
    """Return a whole page.

    :param subtitle: one line under the title; both are text.
    :param sections: HTML, as :func:`section` returns it.
    """
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>\n{style}</style></head>\n<body><header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>\n"
        f"<main>\n{''.join(sections)}</main></body></html>\n"
    )


def section(title: str, body: str, about: str = "") -> str:
    """Return a part of a page.

    :param body: HTML.
    :param about: a sentence of text under the title.
    """
    words = f"<p class=about>{escape(about)}</p>" if about else ""
    return f"<section><h2>{escape(title)}</h2>{words}{body}</section>\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], last: Sequence[str] = (), words: int = 1) -> str:
    """Return a table of text cells.

    :param last: a line for all.
    :param words: how many columns hold words, on the left; numbers stand on the right.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        marked = (f"<{tag}{' class=w' if place < words else ''}>{escape(cell)}</{tag}>" for place, cell in
                  enumerate(cells))  # fmt: skip
        return f"<tr>{''.join(marked)}</tr>"

    foot = f"<tfoot>{line(last, 'td')}</tfoot>" if last else ""
    body = "".join(line(cells, "td") for cells in rows)
    return f"<div class=scroll><table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody>{foot}</table></div>"


def bullets(lines: Sequence[str]) -> str:
    """Return a list of sentences."""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""


def missing(words: str) -> str:
    """Return what stands where there is nothing to show."""
    return f"<p class=about>{escape(words)}</p>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names with what they are."""
    return f"<dl>{''.join(f'<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>' for a, b in pairs)}</dl>"


def tiles(parts: Iterable[str]) -> str:
    """Return parts side by side, as many as there is room for."""
    return f"<div class=tiles>{''.join(f'<figure>{part}</figure>' for part in parts)}</div>"


def caption(title: str, words: str = "") -> str:
    """Return the words under a plot or picture."""
    return f"<figcaption><b>{escape(title)}</b> {escape(words)}</figcaption>"


def cut_out(picture: Picture) -> NDArray[np.uint8]:
    """Return a drawn picture (H, W, 4) whose background is transparent, so that it stands on light and dark.

    The line of pixels around what is drawn, which the background shines through, is half transparent and has the colour
    of what lies inside it.

    :param picture: (H, W, 3) of :class:`blendvoca.view.render.Renderer`.
    """
    empty = (np.abs(picture.astype(int) - np.rint(255 * np.array(BACKGROUND)).astype(int)) <= 1).all(axis=2)
    inside = ~binary_dilation(empty, iterations=2)
    alpha = np.where(empty, 0, 255)
    colours = picture
    if inside.any():
        edge = ~empty & ~inside
        nearest = distance_transform_edt(~inside, return_distances=False, return_indices=True)
        colours = np.where(edge[..., None], picture[tuple(nearest)], picture)
        alpha[binary_dilation(empty) & ~empty] = 128
    return np.dstack([colours, alpha]).astype(np.uint8)


def embedded(picture: Picture, words: str) -> str:
    """Return a picture (height, width, 3) as part of the page; ``words`` says what it shows.

    :raises MissingDependencyError: without Pillow.
    """
    buffer = io.BytesIO()
    pillow("Image").fromarray(cut_out(picture)).save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    height, width = picture.shape[:2]
    source = f'src="data:image/png;base64,{data}"'
    return f'<img {source} width="{width}" height="{height}" alt="{escape(words)}">'
