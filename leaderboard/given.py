"""Find what is to be ranked: submissions, folders of them, and runs that were never packed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import Suite, read_cases
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.packing import About, pack
from convsafe.leaderboard.records import MANIFEST, slug
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json

_RUN = "run.json"
# What a run does not say; a board on the web would refuse it.
_UNSAID = "not given"
# The largest manifest that is looked at for its name, in bytes.
_LARGEST = 1 << 20


@dataclass(frozen=True)
class Given:
    """The folders of submissions and of runs, each once."""

    submissions: tuple[Path, ...]
    runs: tuple[Path, ...]


def find(paths: Sequence[str | Path]) -> Given:
    """Return the submissions and runs that the paths are, or hold one level below.

    Raises:
        BadInput: If a path is neither, and holds none.
    """
    every = dict.fromkeys(found for path in paths for found in _below(Path(path)))
    runs = tuple(path for path in every if (path / _RUN).is_file())
    return Given(tuple(path for path in every if path not in runs), runs)


def _below(path: Path) -> Iterator[Path]:
    if _is_one(path):
        yield path
        return
    inside = sorted(path.iterdir()) if path.is_dir() else []
    # A broken submission is one too: it is refused by name, and not passed over.
    found = [one for one in inside if one.is_dir() and not one.name.startswith(".")]
    if not found:
        raise BadInput(
            "this is no submission (manifest.json), no run (run.json) and no folder of them."
            " `convsafe submit` makes a submission",
            file=path,
        )
    yield from found


def _is_one(path: Path) -> bool:
    return (path / MANIFEST).is_file() or (path / _RUN).is_file()


def board_of(runs: Sequence[Path]) -> Board:
    """Return a board for runs alone, of the cases of the first.

    Raises:
        BadInput: If another run has other cases.
    """
    first, *others = map(Run.open, runs)
    for other in others:
        _require_same(first, other)
    settings = first.settings
    # A balanced sample or a whole config: the run holds its cases.
    suite = Suite(
        tuple(read_cases([first.folder / "cases.parquet"])),
        settings["release"],
        settings.get("sample"),
        settings.get("sources", {}),
    )
    ours = Board.load()
    board = Board(
        config=settings["release"].get("config", ours.config),
        split=settings["release"].get("split", ours.split),
        judge=ours.judge,
        samples=first.samples,
        most_unscored=ours.most_unscored,
        baselines=ours.baselines,
    )
    board.__dict__["suite"] = suite
    return board


def _require_same(first: Run, other: Run) -> None:
    def of(run: Run) -> dict[str, object]:
        release = run.settings["release"]["content_sha256"]
        return {"release": release, "cases": run.settings["ids_sha256"], "samples": run.samples}

    mine, theirs = of(first), of(other)
    if differ := [name for name in mine if mine[name] != theirs[name]]:
        raise BadInput(
            f"made with another {' and '.join(differ)} than {first.folder}: they cannot be"
            " compared",
            file=other.folder,
        )


def pack_runs(runs: Sequence[Path], out: Path, board: Board) -> Iterator[tuple[Path, Path]]:
    """Pack runs into submissions, named by their model; yield each one's folder and the run's."""
    names = [_name(Run.open(run)) for run in runs]
    for place, (run, name) in enumerate(zip(runs, names, strict=True)):
        Run.open(run).require_whole(Run.open(run).generations())
        taken = names.count(name) > 1 or slug(name) in map(slug, board.baselines)
        own = f"{name} [{run.name}]" if taken else name
        folder = out / str(place)
        pack(run, About(own, _UNSAID, _UNSAID), folder, board)
        yield folder, run


def _name(run: Run) -> str:
    """Return a run's model, with the settings and guards it was run with."""
    said = run.settings
    model = said["model"].partition("#")[2] or said["model"]
    with_ = [*(said.get("settings") or {}), *(said.get("guards") or {})]
    return f"{model} ({', '.join(with_)})" if with_ else model


def claimed(folder: Path) -> tuple[str, str]:
    """Return the name and the contact that a submission says it has; empty if it says none."""
    path = folder / MANIFEST
    # Others wrote it: no link is followed, and no large file read.
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
        return "", ""
    try:
        said = read_json(path)
    except (BadInput, OSError, RecursionError):
        return "", ""
    names = ("name", "contact")
    found = [said.get(one) for one in names] if isinstance(said, dict) else []
    texts = [one for one in found if isinstance(one, str)]
    return (texts[0], texts[1]) if len(texts) == len(names) else ("", "")
