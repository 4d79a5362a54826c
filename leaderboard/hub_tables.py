"""A board as data sets: its figures and verdicts for all, its replies for who asks for them.

    README.md               the card, with the configs `results` and `verdicts`
    results.parquet         a row a figure, of results that were superseded too
    verdicts.parquet        a row a verdict of the results that stand; no reply, no rationale
    table.json              the board as `convsafe rank` wrote it
    records/RELEASE/*.json  the results themselves

The replies are a data set of their own, which the Hub shows only to those who were let in.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.folder_checks import LINES
from convsafe.leaderboard.records import GENERATIONS, MANIFEST, Manifest
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic, read_json, sha256_of, write_text

if TYPE_CHECKING:
    import polars as pl

TABLE, RESULTS, VERDICTS = "table.json", "results.parquet", "verdicts.parquet"
_REPLIES = ("id", "sample", "outcome", "response")
_CARDS = Path(__file__).parent / "cards"


@dataclass(frozen=True)
class Kept:
    """A result file of a board: where it stands, what it holds, and whether it still counts."""

    path: Path
    row: Mapping[str, Any]
    manifest: Manifest
    current: bool

    @property
    def release(self) -> str:
        """The name of the release's folder."""
        return self.path.parent.name


def read_kept(board: Path) -> tuple[Kept, ...]:
    """Return every result on a board, in order of the files' names.

    Raises:
        BadInput: If there is none, or one cannot be read.
    """
    every = sorted((board / "results").glob("*/*.json"))
    # The table of an earlier release may stand beside its results.
    paths = [path for path in every if path.name != TABLE]
    if not paths:
        raise BadInput("there are no results here: `convsafe rank` makes them", file=board)
    rows = {path: read_json(path) for path in paths}
    try:
        old = {(path.parent, row["supersedes"]) for path, row in rows.items()}
        return tuple(
            Kept(path, row, Manifest.from_row(row["manifest"]), (path.parent, path.name) not in old)
            for path, row in rows.items()
        )
    except (KeyError, TypeError) as error:
        raise BadInput(f"holds a result that is none: {error}", file=board / "results") from None


def write_results(board: Path, out: Path) -> Path:
    """Write the data set of a board's results and verdicts into the folder `out`.

    Raises:
        BadInput: If the board has no table or results, or a result or its verdicts cannot be read.
    """
    if not (board / TABLE).is_file():
        raise BadInput(f"there is no {TABLE} here: `convsafe rank` writes it", file=board)
    kept = read_kept(board)
    _write(_figures(kept), out / RESULTS)
    verdicts = _verdicts(board, [one for one in kept if one.current])
    _write(verdicts, out / VERDICTS)
    for one in kept:
        _copy(one.path, out / "records" / one.release / one.path.name)
    _copy(board / TABLE, out / TABLE)
    models = sum(one.current and not one.row.get("baseline", False) for one in kept)
    write_text(
        out / "README.md",
        _card("results.md").format(models=models, files=len(kept), verdicts=verdicts.height),
    )
    return out


def write_replies(board: Path, submissions: Path, out: Path) -> Path:
    """Write the data set of the replies behind a board's results, to be kept behind a gate.

    Only files whose sum is that of a result that stands are taken: those were verified.

    Raises:
        BadInput: If no submission in the folder is on the board.
    """
    wanted = {
        one.manifest.generations_sha256: one.manifest for one in read_kept(board) if one.current
    }
    written = 0
    for path in _generations(submissions):
        manifest = wanted.get(sha256_of(path))
        if manifest is not None:
            name = f"{manifest.slug}-{manifest.generations_sha256[:8]}.parquet"
            _write(_replies(path, manifest), out / "replies" / name)
            written += 1
    if not written:
        raise BadInput("no submission here is on the board", file=submissions)
    write_text(out / "README.md", _card("replies.md").format(models=written))
    return out


def _figures(kept: Sequence[Kept]) -> pl.DataFrame:
    """Return a row a figure, of every result."""
    import polars as pl

    figures = pl.DataFrame(
        [
            {"file": f"{one.release}/{one.path.name}", **figure}
            for one in kept
            for figure in one.row["figures"]
        ],
        schema_overrides=dict.fromkeys(("value", "low", "high"), pl.Float64),
        infer_schema_length=None,
    )
    about = pl.DataFrame([_about(one) for one in kept], infer_schema_length=None)
    return about.join(figures, on="file", maintain_order="left")


def _about(one: Kept) -> dict[str, Any]:
    """Return what the figures of a result share."""
    findings = one.row.get("findings", ())
    flags = [found["code"] for found in findings if found["level"] == "flag"]
    return {
        "model": one.manifest.slug,
        "title": one.manifest.name,
        "url": one.manifest.url,
        "license": one.manifest.license,
        "release": one.row["release"]["version"],
        "config": one.row["release"].get("config"),
        "judge": one.row["judge"]["name"],
        "judge_version": one.row["judge"]["version"],
        "current": one.current,
        "ranked": one.row["ranked"],
        "baseline": one.row.get("baseline", False),
        "flags": ",".join(dict.fromkeys(flags)),
        "scored": one.row["scored"],
        "file": f"{one.release}/{one.path.name}",
    }


def _verdicts(board: Path, kept: Sequence[Kept]) -> pl.DataFrame:
    """Return a row a verdict, of the results that stand."""
    import polars as pl

    frames = []
    for one in kept:
        name = one.row.get("verdicts", f"{one.path.stem}.parquet")
        path = board / "verdicts" / one.release / Path(name).name
        if not path.is_file():
            raise BadInput("the verdicts of a result are missing: rank it again", file=path)
        verdicts = pl.read_parquet(path)
        # What names neither a reply nor a rationale, whatever else a file may hold.
        told = [name for name in _VERDICT if name in verdicts.columns]
        about = {"model": one.manifest.slug, "release": one.row["release"]["version"]}
        named = [pl.lit(value).alias(name) for name, value in about.items()]
        frames.append(verdicts.select(*named, *told))
    return pl.concat(frames, how="diagonal_relaxed")


_VERDICT = ("id", "sample", "judge", "stance", "unsafe", "responsive", "labels", "unscored_reason")


def _generations(submissions: Path) -> Iterator[Path]:
    """Yield the files of generations of every submission; links are not followed."""
    for folder in sorted(submissions.iterdir()) if submissions.is_dir() else ():
        if folder.is_symlink() or not (folder / MANIFEST).is_file():
            continue
        for name in (GENERATIONS, LINES):
            if (folder / name).is_file() and not (folder / name).is_symlink():
                yield folder / name


def _replies(path: Path, manifest: Manifest) -> pl.DataFrame:
    import polars as pl

    frame = pl.read_ndjson(path) if path.name == LINES else pl.read_parquet(path)
    told = [name for name in _REPLIES if name in frame.columns]
    about = {"model": manifest.slug, "license": manifest.license}
    return frame.select(*(pl.lit(value).alias(name) for name, value in about.items()), *told)


def _write(frame: pl.DataFrame, path: Path) -> None:
    with atomic(path) as temporary:
        frame.write_parquet(temporary, compression="zstd")


def _copy(source: Path, target: Path) -> None:
    with atomic(target) as temporary:
        shutil.copyfile(source, temporary)


def _card(name: str) -> str:
    return (_CARDS / name).read_text(encoding="utf-8")
