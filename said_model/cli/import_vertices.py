"""``said import-vertices``: tracks from the outputs of vertex models."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.terminal.paths import OutFolder


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--model", "name", required=True, metavar="[voca|meshtalk|faceformer|codetalker|unitalker]",
              help="Whose outputs they are.")  # fmt: skip
@click.option("--data", required=True, type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="Shards with the speakers' rigs, that is of licence class open or restricted.")  # fmt: skip
@click.option("--out", required=True, type=OutFolder(), help="Folder of the tracks.")
@click.option("--fps", type=float, help="Frame rate of the outputs [default: the model's].")
def import_vertices(folder: Path, name: str, data: Path, out: Path, fps: float | None) -> None:
    """Fit coefficients to the .npy and .npz outputs in DIR and write tracks for `said evaluate`.

    Outputs lie as <speaker>/<sentence>.npy, <sentence>-1.npy, …, <speaker>_<sentence>.npy or
    <speaker>_<sentence>_condition_<style>.npy, each (T, V, 3) or (T, 3V) in metres. What is at 30 fps is brought to the
    data's rate linearly before the fit. MeshTalk's released weights run at 30 fps (--fps 30), the paper's at VOCASET's
    60.
    """
    from blendvoca.dataset import BlendVOCA
    from blendvoca.errors import SolverError
    from blendvoca.fit.fitter import Fitter, match_topology
    from blendvoca.sequence import MeshSequence
    from said_model.evaluation.baselines.vertex_models import find_outputs, model_named, read_vertices

    model, dataset = model_named(name), BlendVOCA(data, audio=False)
    rate, fitters = dataset.entry(0).fps, dict[tuple[str, int], Fitter]()
    outputs = find_outputs(folder)
    for output in outputs:
        frames = read_vertices(output.path)
        key = output.speaker, frames.shape[1]
        if key not in fitters:
            crop = dataset.parts(output.speaker).crop
            rig, related = match_topology(
                dataset.rig(output.speaker), frames.shape[1], None if crop is None else crop.kept
            )
            fitters[key] = Fitter(rig, crop=related)
        fitter = fitters[key]
        # The fit looks at vertices alone; the rig's triangles stand in for those of the frames.
        sequence = MeshSequence.from_array(frames, fitter.rig.neutral.faces, fps or model.fps, output.path.stem)
        result = fitter.fit(sequence.resampled(rate))
        problems = result.certificate.problems()
        if problems:
            raise SolverError(f"the fit is not proved: {'; '.join(problems)}", path=output.path)
        (out / output.speaker).mkdir(parents=True, exist_ok=True)
        result.track.to_csv(out / output.speaker / output.track_name)
    clips = len({(output.speaker, output.sentence) for output in outputs})
    click.echo(f"{len(outputs)} tracks of {clips} clips at {rate:g} fps: {out}")
    if len(outputs) != model.styles * clips:
        found = f"{len(outputs) / clips:g}"
        click.echo(f"note: {name} has {model.styles} outputs for each audio, here are {found}", err=True)
