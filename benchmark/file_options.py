"""The options of `convsafe score` that are for a file of generations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    from convsafe.benchmark.loading import JudgeSettings
    from convsafe.benchmark.scoring import Scores


@dataclass(frozen=True)
class FileOptions:
    """What a file of generations is scored with; None where an option was not given."""

    release: Path | None
    config: str | None
    verdicts: Path | None
    out: Path | None
    workers: int | None
    engine: str | None

    def score(self, file: Path, judge: str, partial: bool, settings: JudgeSettings) -> Scores:
        """Score a file, and write the scores beside it or where `out` says."""
        from convsafe.benchmark.streaming import Streaming, score_file
        from convsafe.taxonomy.files import write_json

        how = Streaming(self.workers, self.engine or "local", progress=settings.progress)
        scores = score_file(
            file,
            self.release,
            self.config or "core",
            judge,
            verdicts=self.verdicts,
            partial=partial,
            settings=settings,
            how=how,
        )
        write_json(self.out or file.with_suffix(".scores.json"), scores.to_row())
        return scores

    def refuse(self, folder: Path) -> None:
        """Raise `BadInput` if an option was given that says nothing of a run's folder."""
        given = [f"--{one.name}" for one in fields(self) if getattr(self, one.name) is not None]
        if given:
            raise BadInput(f"{', '.join(given)} is for a file of generations", file=folder)


_OPTIONS = (
    click.option(
        "--release",
        type=click.Path(path_type=Path),
        help="Of a FILE: the release its cases are of  [default: our own core set]",
    ),
    click.option("--config", help="Of a FILE: the config, or all  [default: core]"),
    click.option(
        "--verdicts",
        type=click.Path(path_type=Path),
        help="Of a FILE: take these verdicts, .jsonl or .parquet, instead of judging.",
    ),
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="Of a FILE: where the scores go  [default: FILE with .scores.json]",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Of a FILE: how many processes judge  [default: one a core]",
    ),
    click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        help="Of a FILE: what the partitions are worked on with  [default: local]",
    ),
)


def file_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, as one argument `files`."""
    names = [one.name for one in fields(FileOptions)]

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        files = FileOptions(**{name: given.pop(name) for name in names})
        command(**given, files=files)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
