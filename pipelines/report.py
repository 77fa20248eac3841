"""The build's report page, with what only the build knows: transfer figures, errors of frames and vertices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import BlendvocaError
from blendvoca.io.atomic import write_text
from blendvoca.view.inspect import Choice, gather, write_page
from blendvoca.view.report import ClipEvidence, Evidence, build_report, worst_clips
from pipelines.build import BuildResult
from pipelines.records import unpack_crop, unpack_rig
from pipelines.workspace import BuildWorkspace

#: The page's name, beside the manifest; it is part of no hash.
REPORT_NAME = "report.html"
#: The inspect page of its worst clips.
WORST_NAME = "worst.html"


def write_report(result: BuildResult) -> Path:
    """Write the page of a build beside its shards and return its path.

    :raises MissingInputError: if nothing was built.
    """
    path, dataset = result.out / REPORT_NAME, BlendVOCA(result.out)
    page = _write_worst(dataset, result.out / WORST_NAME)
    write_text(path, build_report(dataset, replace(_evidence(result), page=page)))
    return path


def _write_worst(dataset: BlendVOCA, path: Path) -> str:
    """Write the inspect page of the worst clips and return its name; nothing where there is none to show."""
    clips: dict[str, list[str]] = {}
    for speaker, sentence in worst_clips(dataset):
        clips.setdefault(speaker, []).append(sentence)
    if not clips:
        return ""
    contents = [gather(dataset.root, Choice((speaker,), tuple(names))) for speaker, names in clips.items()]
    heads = tuple(head for content in contents for head in content.speakers)
    write_page(path, replace(contents[0], speakers=heads))
    return path.name


def _evidence(result: BuildResult) -> Evidence:
    work, config = result.work, result.work.config
    settings = (
        ("Source rig", str(work.mark("source", "rig").facts["name"])),
        ("Transfer", config.method),
        ("Rate limit", f"{config.rate_limit:g} a frame"),
    )
    transfer = {
        speaker: work.mark("reattach", speaker).facts["quality"]
        for speaker in work.speakers
        if work.done("reattach", speaker)
    }
    failed = tuple(f"{failure.item} ({failure.stage}): {failure.error}" for failure in result.failures)
    warnings = (*failed, *result.notes)
    return Evidence(settings, transfer, lambda speaker, sentence: _clip(work, speaker, sentence), warnings)


def _clip(work: BuildWorkspace, speaker: str, sentence: str) -> ClipEvidence | None:
    """Return what the fit has kept of a clip, and the distances in its worst frame where the meshes are still there."""
    if not work.done("fit", f"{speaker}/{sentence}"):
        return None
    stored, head = work.load("fit", f"{speaker}/{sentence}"), work.load("reattach", speaker)
    evidence = ClipEvidence(stored["frame_error_mm"])
    try:
        given = work.corpus.motion(speaker, sentence).source.read(evidence.worst, evidence.worst + 1)[0]
    except BlendvocaError:
        return evidence
    rig, crop = unpack_rig(head), unpack_crop("output", head)
    if len(given) == crop.n_vertices:
        given = given[crop.kept]
    if len(given) != rig.neutral.n_vertices:
        return evidence
    fitted = rig.select(tuple(stored.facts["names"])).pose(stored["coefficients"][evidence.worst])
    return ClipEvidence(evidence.frame_error_mm, 1e3 * np.linalg.norm(given - fitted, axis=1))
