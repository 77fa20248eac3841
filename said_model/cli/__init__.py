"""``said``: train, sample, edit, stream. One module a command; nothing heavy is imported before it runs."""

from __future__ import annotations

import os

import click

from blendvoca.terminal.lazy_group import LazyGroup
from blendvoca.version import __version__
from said_model.extras import PACKAGES

#: Command to its one line of help; a command is the module of the same name in this package or in a folder of it.
COMMANDS = {
    "sample": "Draw blendshape coefficients for speech.",
    "edit": "Generate parts of a track anew, keep the rest.",
    "stream": "Samples on standard input, frames on standard output, as they come.",
    "train": "Train a model on shards.",
    "train-vae": "Train the VAE in whose latents samples are measured.",
    "train-sync": "Train the model that measures whether lips and sound agree.",
    "distill": "Turn a model of many guided steps into one of two without.",
    "align": "Find the phone times of recordings whose text is known.",
    "evaluate": "Measure a system's tracks against the truth.",
    "compare": "Put systems side by side, with confidence intervals.",
    "baseline": "Write the regression baseline's tracks for a split.",
    "import-vertices": "Fit coefficients to the outputs of VOCA, MeshTalk, FaceFormer or CodeTalker.",
    "ablate": "Train the paper's ablations on shards and put them in a table.",
    "features": "Write audio features beside shards, so that training need not compute them.",
    "page": "Write a page in which the model makes a face talk, in the browser.",
    "export-onnx": "Write a checkpoint as ONNX, for other languages and browsers.",
    "import-weights": "Turn the authors' .pth into a checkpoint.",
    "info": "Say what a checkpoint is made of.",
}

#: Commands that stand in a folder.
FOLDERS = dict.fromkeys(("train", "distill", "train-vae", "train-sync", "baseline", "ablate", "features"), "training")


@click.group(cls=LazyGroup, package=__name__, commands_help=COMMANDS, folders=FOLDERS,
             packages=dict.fromkeys(PACKAGES, "said"),
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})  # fmt: skip
@click.version_option(__version__, prog_name="said")
def main() -> None:
    """SAiD: speech in, ARKit blendshape coefficients out."""
    # Threads that wait by spinning take the cores of whoever else works here, and then of each other: on two busy cores
    # the same sample took 2.95 s, and 0.13 s with this. It is read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
