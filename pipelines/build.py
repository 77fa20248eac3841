"""The build, read first: the ordered list of stages, and the one call that runs them.

::

    corpus ─ landmarks ─ crop ─ correspond ─ transfer ─ reattach ─┐
    source ─────────┘                                             ├─ fit ─ pack ─ audit ─ manifest
    frames and sound ─────────────────────────────────────────────┘

A speaker's head passes from the left to the right; a clip begins at ``fit``. Every arrow is a file under
``OUT/.stages``, so that a second build does only what changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from blendvoca.errors import ConfigurationError, MissingInputError
from blendvoca.io.region import region_file
from blendvoca.io.vocaset.corpus import UNREADABLE, grouped
from blendvoca.io.vocaset.source import unfinished_downloads
from blendvoca.transfer.config import TransferConfig
from pipelines.config import BuildConfig
from pipelines.executors import Dask, Executor, InProcess, Processes
from pipelines.output import only_build, prepare_output, refuse_others, sign, write_environment
from pipelines.progress import NoReport, Reporter
from pipelines.runner import Failure, StageReport, run_stages
from pipelines.stage import Stage
from pipelines.stages.audit import Audit
from pipelines.stages.correspond import Correspond
from pipelines.stages.crop import CropRegions
from pipelines.stages.fit import Fit
from pipelines.stages.landmarks import FindLandmarks
from pipelines.stages.manifest import WriteManifest
from pipelines.stages.pack import Pack
from pipelines.stages.reattach import Reattach
from pipelines.stages.source import Source
from pipelines.stages.transfer import Transfer
from pipelines.workspace import BuildWorkspace

#: The stages, in order.
STAGES: tuple[Stage, ...] = (
    Source(),  # the rig that is transferred: which shapes, which landmarks
    FindLandmarks(),  # 68 vertices on every speaker's template
    CropRegions(),  # which vertices are deformed by transfer, which are published
    Correspond(),  # bend the source onto the template: which triangle speaks for which
    Transfer(),  # the source's shapes on the cropped template
    Reattach(),  # the shapes on the published region, faded into what does not move
    Fit(),  # coefficients of every clip, with their certificate
    Pack(),  # one shard a speaker
    Audit(),  # read every shard back
    WriteManifest(),  # what there is, for those who read it
)


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    :param out: where the shards are.
    :param work: settings, and the ledger with the facts of every item.
    :param reports: what the corpus lacks, then one a stage, in order.
    :param seconds: wall time.
    """

    out: Path
    work: BuildWorkspace
    reports: tuple[StageReport, ...]
    seconds: float

    @property
    def failures(self) -> list[Failure]:
        """Everything that could not be built, and why; empty for a complete build."""
        return [failure for report in self.reports for failure in report.failures]

    @property
    def notes(self) -> list[str]:
        """What was guessed or left out on a speaker's head, and heads whose shapes are out of their limits."""
        said: dict[str, list[str]] = {}
        for speaker in self.work.speakers:
            for stage in (CropRegions.name, Transfer.name, Reattach.name):
                mark = self.work.ledger.read(stage, speaker)
                for line in mark.facts.get("notes", ()) if mark is not None else ():
                    said.setdefault(line, []).append(speaker)
        return [f"{', '.join(speakers)}: {line}" for line, speakers in said.items()]

    @property
    def idle(self) -> bool:
        """Whether everything was there already."""
        return not any(report.done or report.failures for report in self.reports)


def build(
    config: BuildConfig,
    out: Path,
    *,
    jobs: int = 0,
    dask: str | None = None,
    reporter: Reporter | None = None,
    force: bool = False,
) -> BuildResult:
    """Build shards of a corpus into ``out``, or do what is missing of it.

    :param jobs: worker processes; 0 does everything in this process.
    :param dask: address of a dask scheduler to use instead; its workers must see the same paths.
    :param force: do everything again, and remove shards of speakers that the corpus lacks.
    :raises MissingInputError, FormatError: if the corpus is none.
    :raises OutputError: if the output cannot be used or written, or another build is using it.
    :raises Interrupted: after SIGINT or SIGTERM, once the items under way are finished.
    """
    start = perf_counter()
    reporter = reporter or NoReport()
    work = open_workspace(config, out)
    for line in preamble(work):
        reporter.note(line)
    prepare_output(out, config.corpus)
    with only_build(out):
        sign(out)
        refuse_others(work.ledger, Pack.name, work.corpus.speakers, force)
        with _executor(work, jobs, dask) as executor:
            reports = run_stages(STAGES, work, executor, reporter, force)
        write_environment(out)
    return BuildResult(out, work, (_corpus_report(work), *reports), perf_counter() - start)


def open_workspace(config: BuildConfig, out: Path) -> BuildWorkspace:
    """Open the corpus and check what can be checked before anything is written.

    :raises MissingInputError, FormatError: if there is no corpus, nothing to build, no landmark file or no region.
    :raises ConfigurationError: for an unknown method.
    """
    work = BuildWorkspace(config, out)
    TransferConfig(config.method)
    if config.landmarks is not None and not config.landmarks.exists():
        raise MissingInputError("no such landmark file", path=config.landmarks)
    if config.region is not None and not region_file(config.region)[0].is_file():
        raise MissingInputError("no such region", expected="vertex indices, or MASKS.pkl:NAME", path=config.region)
    if not work.speakers:
        lacks = "; ".join(grouped(work.corpus.missing)) or "it holds no speaker"
        raise MissingInputError("nothing to build", expected="a template and motion of a speaker", found=lacks,
                                remedy=_unfinished(config.corpus), path=config.corpus)  # fmt: skip
    return work


def _unfinished(corpus: Path) -> str:
    """Return what is advised where parts of a corpus are not here."""
    return unfinished_downloads(corpus) or "Is the download complete?"


def preamble(work: BuildWorkspace) -> list[str]:
    """Return what was recognised, and what is missing and what that costs, a line each."""
    corpus = work.corpus
    clips = sum(1 for _ in corpus.clips())
    lines = [f"{corpus.path}: {corpus.kind}, {len(corpus.speakers)} speakers, {clips} sequences"]
    lines += [f"  {lack}" for lack in grouped(corpus.missing)]
    if advice := unfinished_downloads(corpus.path):
        lines.append(f"  {advice}")
    gaps = sorted(f"{who}/{what}" for who, what in corpus.known_gaps if who in corpus.speakers)
    if gaps:
        lines.append(f"  known gaps, sound without motion: {', '.join(gaps)}")
    return lines


def _corpus_report(work: BuildWorkspace) -> StageReport:
    """File what a corpus lacks of a speaker it has as failures: a template, or frames of a sentence with sound.

    Speakers without any motion are none: people download some of VOCASET's speakers, and all templates in one file.
    """
    report = StageReport("corpus")
    for lack in work.corpus.missing:
        if lack.what.startswith(UNREADABLE):
            report.failures.append(Failure("corpus", lack.what.removeprefix(UNREADABLE).strip(), "it cannot be read"))
        if lack.speaker and (lack.what == "template" or (lack.what == "motion" and lack.sentences)):
            names = [f"{lack.speaker}/{name}" for name in lack.sentences] or [lack.speaker]
            report.failures += [Failure("corpus", name, f"no {lack.what}") for name in names]
    return report


def _executor(work: BuildWorkspace, jobs: int, dask: str | None) -> Executor:
    if jobs < 0:
        raise ConfigurationError("wrong number of jobs", expected="0 or more", found=jobs)
    if dask is not None:
        return Dask(work, dask)
    return Processes(work, jobs) if jobs else InProcess(work)
