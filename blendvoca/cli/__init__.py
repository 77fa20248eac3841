"""``blendvoca``: build, read, fit, inspect, publish. One module a command; nothing heavy is imported before it runs."""

from __future__ import annotations

import click

from blendvoca.terminal.lazy_group import LazyGroup
from blendvoca.version import __version__

#: Command to its one line of help; a command is the module of the same name in this package.
COMMANDS = {
    "build": "Build HDF5 shards from a VOCASET-shaped folder.",
    "info": "Summarise shards: speakers, splits, clips, fit figures.",
    "verify": "Check shards and their manifest: checksums, ranges, certificates, licences.",
    "download": "Fetch the authors' release, meshes, weights, or a published package.",
    "import-release": "Turn the authors' released coefficients and deltas into shards.",
    "complete": "Add meshes and audio from your own VOCASET files to published shards.",
    "publish": "Make a package of shards that may be given away.",
    "export-table": "Write the dataset as a Parquet or CSV table.",
    "rig": "Put ARKit's blendshapes on any head: OBJ, PLY, GLB or STL.",
    "landmarks": "Check, transfer or pick the 68 landmarks of a head.",
    "synth": "Write the embedded sample dataset in VOCASET's folder form.",
    "fit": "Fit blendshape coefficients to one mesh sequence.",
    "inspect": "Write a page with heads, sliders, clips with sound and figures.",
    "render": "Draw blendshapes as a sheet, or a track as a video with sound.",
    "export": "Write a track for Blender, Unreal, Unity or a browser.",
    "convert": "Turn one form of a track into another.",
}


@click.group(cls=LazyGroup, package=__name__, commands_help=COMMANDS,
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})  # fmt: skip
@click.version_option(__version__, prog_name="blendvoca")
def main() -> None:
    """BlendVOCA: speech paired with ARKit blendshape coefficients."""
