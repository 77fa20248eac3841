"""``said import-weights``: the authors' weights as a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--pretrained", metavar="REPOSITORY[@REVISION]",
              help="Take it from the Hugging Face hub, such as yunik1004/SAiD.")  # fmt: skip
@click.option("--encoder-config", type=click.Path(path_type=Path),
              help="The speech encoder's config.json, where it is of no published size.")  # fmt: skip
@click.option("--names", type=click.Path(path_type=Path),
              help="Blendshapes of the channels, one a line, in order [default: BlendVOCA's 32].")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Checkpoint folder.")
def import_weights(file: Path | None, pretrained: str | None, encoder_config: Path | None, names: Path | None,
                   out: Path) -> None:  # fmt: skip
    """Turn FILE, a .pth state dict of the authors, into a checkpoint folder. Nothing in the file is executed."""
    from blendvoca.errors import ConfigurationError
    from said_model.extras import import_optional

    authors = import_optional("said_model.checkpoints.authors")
    checkpoint = import_optional("said_model.checkpoints.folder")
    weights = import_optional("said_model.checkpoints.state_dict")
    if (file is None) == (pretrained is None):
        raise ConfigurationError("which weights?", expected="FILE or --pretrained, one of them")
    hub = import_optional("said_model.checkpoints.hub")
    path = file if file is not None else hub.fetch(pretrained)
    settings = None if encoder_config is None else authors.read_encoder_settings(encoder_config)
    known = {} if names is None else {"names": authors.read_names(names)}
    network = authors.network_of(weights.read_weights(path), settings, path, **known)
    commit = hub.commit_of(path)
    origin = {"imported_from": pretrained or path.name, **({"commit": commit} if commit else {})}
    checkpoint.save(out, network, origin)
    count = sum(parameter.numel() for parameter in network.denoiser.parameters())
    click.echo(f"{out}: denoiser of {count:,} parameters, {network.config.encoder.name} included")
