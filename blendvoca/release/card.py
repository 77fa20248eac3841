"""The data card of a package: what it is, how it was made, what it lacks, and what may be done with it."""

from __future__ import annotations

import json

from blendvoca.release.config import PackageConfig
from blendvoca.shard.manifest import ClipEntry, Manifest
from blendvoca.shard.schema import LicenceClass
from blendvoca.shard.summary import SpeakerSummary, summarise
from blendvoca.speakers import SPLIT_NAMES

CARD_NAME = "README.md"

_CONTENT = {
    LicenceClass.OPEN: "coefficient tracks, speech, and each speaker's rig (neutral mesh and deltas)",
    LicenceClass.COEFFICIENTS: "coefficient tracks and blendshape deltas; no meshes and no audio",
}
_LICENCE = {
    LicenceClass.OPEN: "Everything in it may be passed on under the licence above.",
    LicenceClass.COEFFICIENTS: (
        "Meshes and audio of the speakers are **not** part of this package. VOCASET's are under its own licence "
        "(registration, non-commercial, no redistribution): get them at https://voca.is.tue.mpg.de, join them with "
        "`blendvoca complete FOLDER --vocaset YOUR_VOCASET`, and keep the result to yourself."
    ),
}


def data_card(manifest: Manifest, config: PackageConfig) -> str:
    """Return the text of the card, with the front matter that dataset hubs read."""
    clips = [clip for entry in manifest.shards for clip in entry.clips]
    licence = manifest.licence_class
    return "\n".join(
        [
            *_front_matter(manifest, config),
            f"# {config.name}",
            "",
            f"{config.description}",
            "",
            f"Holds {_CONTENT[licence]}.",
            "",
            *_counts(manifest),
            "",
            *_made(clips, len(manifest.names)),
            "",
            *_gaps(manifest),
            "",
            *_use(),
            "",
            *_limits(licence),
            "",
            "## Licence",
            "",
            f"{config.licence} ({config.licence_url}). {_LICENCE[licence]}",
            "",
            "## Citation",
            "",
            config.citation,
            "",
        ]
    )


def _front_matter(manifest: Manifest, config: PackageConfig) -> list[str]:
    size = sum(len(entry.clips) for entry in manifest.shards)
    return [
        "---",
        f"pretty_name: {json.dumps(config.name)}",
        "license: other",
        f"license_name: {json.dumps(config.licence)}",
        f"license_link: {config.licence_url}",
        "language: en",
        "tags: [speech, facial-animation, blendshapes, arkit]",
        f"size_categories: {'n<1K' if size < 1000 else '1K<n<10K'}",
        "configs:",
        "- config_name: clips",
        "  data_files: clips.csv",
        "---",
        "",
    ]


def _counts(manifest: Manifest) -> list[str]:
    lines = ["## Counts and splits", "", "| split | speakers | clips | frames | minutes |", "|---|---|---|---|---|"]
    rows = summarise(manifest)
    for name, group in [*((name, [row for row in rows if row.split == name]) for name in SPLIT_NAMES), ("all", rows)]:
        lines.append(
            f"| {name} | {len(group)} | {sum(row.clips for row in group)} | {sum(row.frames for row in group)} "
            f"| {sum(row.seconds for row in group) / 60:.1f} |"
        )
    return [*lines, "", *(f"- {name}: {_names(rows, name)}" for name in SPLIT_NAMES)]


def _names(rows: list[SpeakerSummary], split: str) -> str:
    return ", ".join(row.speaker for row in rows if row.split == split) or "none"


def _made(clips: list[ClipEntry], shapes: int) -> list[str]:
    fitted = [clip for clip in clips if clip.fit_error_mm is not None]
    lines = [
        "## How it was made",
        "",
        f"Each clip is a track of {shapes} ARKit blendshape coefficients in [0, 1]. A speaker's deltas come from ARKit "
        "reference shapes by deformation transfer; coefficients are fitted to mesh sequences by a quadratic program "
        "that bounds them to [0, 1] and their steps between frames to a rate limit (arXiv:2401.08655, 4.1).",
        "",
    ]
    if fitted:
        errors = sorted(clip.fit_error_mm or 0.0 for clip in fitted)
        shares = [clip.rate_limit_share or 0.0 for clip in fitted]
        lines.append(
            f"{len(fitted)} of {len(clips)} clips carry a certificate of their fit (residuals, duality gap). Mean "
            f"distance to the meshes: {sum(errors) / len(errors):.3f} mm on average over clips, "
            f"{errors[0]:.3f} to {errors[-1]:.3f} mm; {sum(shares) / len(shares):.1%} of frame transitions are at the "
            "rate limit."
        )
    if len(fitted) < len(clips):
        lines.append(
            f"{len(clips) - len(fitted)} clips were not fitted by this toolkit and carry no certificate; their "
            "provenance says where they come from."
        )
    return lines


def _gaps(manifest: Manifest) -> list[str]:
    gaps = [f"- {speaker}/{sentence}" for speaker, sentence in manifest.known_gaps]
    return ["## Known gaps", "", *(["Audio exists, motion does not:", "", *gaps] if gaps else ["None are known."])]


def _use() -> list[str]:
    return [
        "## Use",
        "",
        "```python",
        "from blendvoca import BlendVOCA",
        "",
        'dataset = BlendVOCA("this folder", split="train")',
        "clip = dataset[0]",
        "clip.track.values    # (frames, blendshapes), clip.track.fps frames a second",
        "```",
        "",
        "`blendvoca verify FOLDER` checks every file; `sha256sum -c SHA256SUMS` does it without this toolkit. Shards",
        "are HDF5, one a speaker; `docs/format.md` of the toolkit describes them. `clips.csv` has a row a clip.",
    ]


def _limits(licence: LicenceClass) -> list[str]:
    lines = [
        "## Limits",
        "",
        "- Coefficients describe what the blendshapes can express; the fit error says what they leave out.",
        "- Few speakers, read sentences, English, neutral mood: not a sample of how people speak.",
        "- Eyes and brows carry no information in the 32 shapes of BlendVOCA.",
    ]
    if licence is LicenceClass.COEFFICIENTS:
        lines.append("- Speakers are people: do not use the data to identify or imitate them.")
    return lines
