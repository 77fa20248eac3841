"""The report of a build: what a folder of shards holds and how well it was fitted, as one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from blendvoca.certificate import FitCertificate
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import LicenceError, MissingDependencyError, OutputError
from blendvoca.shard.entries import Manifest
from blendvoca.shard.summary import summary_rows
from blendvoca.speakers import SPLIT_NAMES
from blendvoca.track import CoefficientTrack
from blendvoca.view.appearance import Appearance, appearance_of, heat_colours
from blendvoca.view.page import plot
from blendvoca.view.page.document import bullets, caption, document, embedded, facts, missing, section, table, tiles
from blendvoca.view.render import Renderer
from blendvoca.view.sheet import face_camera

#: How many of the worst clips are shown, and the pixels of their pictures.
_WORST, _PIXELS = 6, 300
#: Figures of a transfer that the page shows: name in its report, head of the column, digits.
_TRANSFER = (
    ("fit_mean_mm", "Fit mm", 2), ("cosine_worst", "Worst cosine", 3), ("ratio_least", "Least ratio", 2),
    ("ratio_most", "Most ratio", 2), ("lip_seal_mm", "Lip seal mm", 2), ("lid_gap_mm", "Lid gap mm", 2),
    ("flips", "Flips", 0), ("boundary_mm", "Boundary mm", 2), ("leak", "Leak", 2),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ClipEvidence:
    """What a build knows of a clip beyond its shard.

    :param frame_error_mm: (T,) mean distance of each frame.
    :param vertex_error_mm: (V,) distance of every vertex in the worst frame; ``None`` where the meshes are gone.
    """

    frame_error_mm: NDArray[np.float64]
    vertex_error_mm: NDArray[np.float64] | None = None

    @property
    def worst(self) -> int:
        """The frame with the largest mean distance."""
        return int(np.argmax(self.frame_error_mm))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a build knows beyond its shards; all may be empty, as for a downloaded package.

    :param settings: names and values.
    :param transfer: speaker to the report of its transfer (:meth:`TransferReport.to_json`).
    :param clip: speaker and sentence to what is known of the clip.
    :param warnings: sentences.
    :param page: name of an inspect page beside the report that shows the worst clips; none where it is empty.
    """

    settings: tuple[tuple[str, str], ...] = ()
    transfer: Mapping[str, Mapping[str, Any]] | None = None
    clip: Callable[[str, str], ClipEvidence | None] = lambda speaker, sentence: None
    warnings: tuple[str, ...] = ()
    page: str = ""


@dataclass(frozen=True)
class _Fitted:
    """A clip with the certificate of its fit."""

    speaker: str
    sentence: str
    certificate: FitCertificate

    @property
    def name(self) -> str:
        return f"{self.speaker}/{self.sentence}"


def build_report(dataset: BlendVOCA, evidence: Evidence | None = None) -> str:
    """Return the page as HTML. The same shards and evidence give the same text, but for the pixels of pictures.

    :param dataset: opened with all splits.
    :param evidence: what the figures alone do not show; None where there is none.
    """
    evidence, manifest = evidence or Evidence(), dataset.manifest
    fitted = list(_fitted(dataset))
    parts = [_overview(manifest, evidence), _warnings(manifest, fitted, evidence), _speakers(manifest, fitted)]
    if fitted:
        parts += [_errors(fitted), _limits(fitted), _worst_clips(dataset, fitted, evidence)]
    if evidence.transfer:
        parts.append(_transfer(evidence.transfer))
    size = f"{len(manifest.shards)} speakers, licence class {manifest.licence_class.value}"
    return document(f"{manifest.name}: build report", size, parts)


def _fitted(dataset: BlendVOCA) -> Iterator[_Fitted]:
    for entry in dataset.manifest.shards:
        for clip in dataset.shard(entry.speaker).clips(audio=False):
            if clip.certificate is not None:
                yield _Fitted(entry.speaker, clip.sentence, clip.certificate)


def _overview(manifest: Manifest, evidence: Evidence) -> str:
    clips = [clip for entry in manifest.shards for clip in entry.clips]
    splits = {name: sum(entry.split == name for entry in manifest.shards) for name in SPLIT_NAMES}
    pairs = [
        ("Blendshapes", str(len(manifest.names))),
        ("Speakers", str(len(manifest.shards))),
        (" / ".join(SPLIT_NAMES), " / ".join(str(splits[name]) for name in SPLIT_NAMES)),
        ("Clips", f"{len(clips):,}"),
        ("Frames", f"{sum(clip.frames for clip in clips):,}"),
        ("Minutes", f"{sum(clip.seconds for clip in clips) / 60:.1f}"),
        ("With sound", f"{sum(clip.samples > 0 for clip in clips):,}"),
        ("Size", f"{sum(entry.bytes for entry in manifest.shards) / 2**20:.1f} MiB"),
        *evidence.settings,
    ]
    return section("What was built", facts(pairs))


def _warnings(manifest: Manifest, fitted: Sequence[_Fitted], evidence: Evidence) -> str:
    lines = list(evidence.warnings)
    silent = [
        f"{entry.speaker}/{clip.sentence}" for entry in manifest.shards for clip in entry.clips if not clip.samples
    ]
    if silent:
        lines.append(f"{len(silent)} clips have no sound: {', '.join(silent[:4])}{' …' if silent[4:] else ''}")
    for clip in fitted:
        lines += [f"{clip.name}: {problem}" for problem in clip.certificate.problems()]
        if clip.certificate.regularised:
            lines.append(f"{clip.name}: a singular basis needed regularisation")
    for speaker, report in (evidence.transfer or {}).items():
        lines += [f"{speaker}: transfer figure {name} is out of its limits" for name in report["failed_figures"]]
        lines += [f"{speaker}: the shape {name} fails its check" for name in report["failed_shapes"]]
    gaps = [f"{speaker}/{sentence}" for speaker, sentence in manifest.known_gaps]
    known = f"As expected, {', '.join(gaps)} have sound but no motion and are left out." if gaps else ""
    return section("Warnings", bullets(lines) or missing("None."), known)


def _speakers(manifest: Manifest, fitted: Sequence[_Fitted]) -> str:
    proofs: dict[str, list[FitCertificate]] = {}
    for clip in fitted:
        proofs.setdefault(clip.speaker, []).append(clip.certificate)
    everyone = [clip.certificate for clip in fitted]

    def more(found: Sequence[FitCertificate]) -> tuple[str, ...]:
        if not found:
            return "–", "–", "–"
        lips = [proof.lips_mean_mm for proof in found if np.isfinite(proof.lips_mean_mm)]
        worst = max(proof.error_max_mm for proof in found)
        return (f"{max(proof.error_p95_mm for proof in found):.2f}", f"{worst:.2f}",
                f"{np.mean(lips):.2f}" if lips else "–")  # fmt: skip

    rows, total = summary_rows(manifest)
    named = ("Speaker", "Split", "Clips", "Sound", "Frames", "Minutes", "Fit mm", "At limit")
    head = (*named, "p95 mm", "Max mm", "Lips mm")
    lines = [(*cells[: len(named)], *more(proofs.get(cells[0], []))) for cells in rows]
    about = (
        "Fit: mean distance between fitted and given vertices, over all frames. p95 and max: of the worst clip. "
        "At limit: share of frame transitions in which a coefficient moves as fast as it may."
    )
    return section("Speakers", table(head, lines, (*total[: len(named)], *more(everyone)), words=2), about)


def _errors(fitted: Sequence[_Fitted]) -> str:
    groups: dict[str, list[float]] = {}
    for clip in fitted:
        groups.setdefault(clip.speaker, []).append(clip.certificate.error_mean_mm)
    dots = plot.strips(list(groups.items()), "Mean distance of each clip, by speaker", "mm")
    spread = [
        plot.spread([clip.certificate.error_mean_mm for clip in fitted], "Clips by mean distance", "mm"),
        plot.spread([clip.certificate.error_p95_mm for clip in fitted], "Clips by 95th percentile", "mm"),
        plot.spread([clip.certificate.error_max_mm for clip in fitted], "Clips by largest distance", "mm"),
    ]
    about = "A dot is a clip, the line across them their mean. Distances between the fitted and the given vertices."
    return section("Fit error", dots + tiles(spread), about)


def _limits(fitted: Sequence[_Fitted]) -> str:
    limits = sorted({clip.certificate.rate_limit for clip in fitted})
    shares = [100 * clip.certificate.rate_limit_share for clip in fitted]
    lips = [clip.certificate.lips_mean_mm for clip in fitted if np.isfinite(clip.certificate.lips_mean_mm)]
    plots = [plot.spread(shares, "Clips by share of transitions at the limit", "%")]
    if lips:
        plots.append(plot.spread(lips, "Clips by mean distance over the lips", "mm"))
    about = f"No coefficient moves by more than {', '.join(f'{limit:g}' for limit in limits)} between frames."
    return section("Rate limit, and lips", tiles(plots), about)


def worst_clips(dataset: BlendVOCA) -> list[tuple[str, str]]:
    """Return (speaker, sentence) of the clips that the report shows as its worst, the worst first.

    :param dataset: opened with all splits.
    """
    return [(clip.speaker, clip.sentence) for clip in _worst(list(_fitted(dataset)))]


def _worst(fitted: Sequence[_Fitted]) -> list[_Fitted]:
    return sorted(fitted, key=lambda clip: (-clip.certificate.error_mean_mm, clip.name))[:_WORST]


def _worst_clips(dataset: BlendVOCA, fitted: Sequence[_Fitted], evidence: Evidence) -> str:
    worst = _worst(fitted)
    known = {clip.name: evidence.clip(clip.speaker, clip.sentence) for clip in worst}
    scale = max((float(found.vertex_error_mm.max()) for found in known.values()
                 if found is not None and found.vertex_error_mm is not None), default=0.0)  # fmt: skip

    @cache
    def look_of(speaker: str) -> Appearance:
        return appearance_of(dataset.rig(speaker).neutral, dataset.parts(speaker).landmarks)

    cards = [_card(dataset, clip, known[clip.name], scale, evidence.page, look_of) for clip in worst]
    about = f"Their worst frames. Colour: distance of fit from mesh, grey 0, dark red {scale:.1f} mm." if scale else (
        "The frame that is furthest from rest; where the meshes are, blendvoca build shows the error itself."
    )  # fmt: skip
    return section("Worst clips", tiles(cards), about)


def _card(
    dataset: BlendVOCA, clip: _Fitted, found: ClipEvidence | None, scale: float, page: str,
    look_of: Callable[[str], Appearance],
) -> str:  # fmt: skip
    track = dataset[clip.speaker, clip.sentence].track
    frame = _furthest(dataset, clip.speaker, track) if found is None else found.worst
    words = f"{clip.certificate.error_mean_mm:.2f} mm mean, {clip.certificate.error_max_mm:.2f} mm max; frame {frame}"
    try:
        head, landmarks = dataset.rig(clip.speaker).select(track.names), dataset.parts(clip.speaker).landmarks
        errors = None if found is None else found.vertex_error_mm
        colours = None if errors is None else heat_colours(errors, scale)
        with Renderer(head.neutral, (_PIXELS, _PIXELS), look=look_of(clip.speaker)) as renderer:
            picture = renderer.draw(head.pose(track.values[frame]), face_camera(head.neutral, landmarks), colours)
        shown = embedded(picture, f"{clip.name}, frame {frame}")
    except LicenceError:
        shown = missing("No picture: shards of this class hold no mesh.")
    except (MissingDependencyError, OutputError) as error:
        shown = missing(f"No picture: {error}")
    line = "" if found is None else plot.curve(found.frame_error_mm, "Distance", "mm", track.duration, frame)
    where = escape(dataset.root.name or ".")
    command = f"blendvoca inspect {where} --speaker {escape(clip.speaker)} --clip {escape(clip.sentence)} --open"
    how = f"<p class=about><code>{command}</code></p>"
    if page:
        place = "&".join(map(quote, (clip.speaker, clip.sentence, f"{frame / track.fps:.2f}")))
        how = f'<p class=about><a href="{escape(f"{page}#{place}")}">Open this moment</a></p>'
    return shown + caption(clip.name, words) + line + how


def _furthest(dataset: BlendVOCA, speaker: str, track: CoefficientTrack) -> int:
    """Return the frame in which the face is furthest from rest."""
    deltas = dataset.parts(speaker).deltas
    reach = 1.0 if deltas is None else np.linalg.norm(deltas, axis=2).mean(axis=1)
    return int((track.values * reach).sum(axis=1).argmax())


def _transfer(reports: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for speaker, report in sorted(reports.items()):
        values = [report["figures"].get(name) for name, _, _ in _TRANSFER]
        cells = ["–" if value is None else f"{value:.{digits}f}" for value, (_, _, digits) in zip(values, _TRANSFER)]
        failed = report["failed_figures"] + report["failed_shapes"]
        rows.append((speaker, *cells, "see warnings" if failed else "good"))
    head = ("Speaker", *(title for _, title, _ in _TRANSFER), "Verdict")
    about = (
        "How well each speaker's shapes do what the source's do: cosine and ratio of landmark displacements, lips that "
        "meet when they should, lids that close, triangles turned over, motion at the border, motion across the middle."
    )
    return section("Transfer of the blendshapes", table(head, rows), about)
