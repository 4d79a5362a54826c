"""Put a board on the Hub: results as a data set, the site as a Space, replies behind a gate."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from convsafe.data_builders.uploading import Gate, Uploaded, upload
from convsafe.leaderboard.hub_tables import write_replies, write_results
from convsafe.taxonomy.errors import BadInput

_SDKS = ("static", "gradio", "docker")


def publish_results(
    board: str | Path,
    repo: str,
    *,
    site: tuple[str, str | Path] | None = None,
    replies: tuple[str, str | Path] | None = None,
    gate: Gate = "manual",
    private: bool = False,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Uploaded]:
    """Make repositories of the Hub hold a board, one commit each where something changed.

    All folders are made before anything is sent.

    Args:
        board: The folder that `convsafe rank` wrote.
        repo: The data set of results, as `org/convsafe-results`.
        site: A Space, and the folder it holds: what `convsafe site` wrote, or `leaderboard/app`.
        replies: A data set, and the folder of submissions whose replies it gets. Nothing is sent
            before the Hub says that it has the gate.
        gate: How access to the replies is given.
        private: Make new repositories private.
        dry_run: Say what would be done, and send nothing.
        progress: Called with what is being done.

    Raises:
        BadInput: If a folder is not what it must be, or the Hub refuses it.
        Unavailable: Without a token or its rights, or when the Hub cannot be reached.
    """
    if replies is not None and replies[0] == repo:
        raise BadInput(f"{repo}: replies need a data set of their own, which has a gate")
    shared: dict[str, Any] = {"private": private, "dry_run": dry_run, "progress": progress}
    with tempfile.TemporaryDirectory() as folder:
        parts = list(_parts(Path(board), repo, site, replies, gate, Path(folder)))
        return [upload(**part, **shared) for part in parts]


def _parts(
    board: Path,
    repo: str,
    site: tuple[str, str | Path] | None,
    replies: tuple[str, str | Path] | None,
    gate: Gate,
    folder: Path,
) -> Iterator[dict[str, Any]]:
    """Yield what to upload, the results first: the site tells of them."""
    made = write_results(board, folder / "results")
    yield {"repo": repo, "folder": made, "title": "Results of the leaderboard"}
    if site is not None:
        name, place = site[0], Path(site[1])
        title = "The leaderboard"
        yield {"repo": name, "folder": place, "kind": "space", "title": title, "sdk": sdk_of(place)}
    if replies is not None:
        kept = write_replies(board, Path(replies[1]), folder / "replies")
        title = "Replies behind the leaderboard"
        yield {"repo": replies[0], "folder": kept, "title": title, "gate": gate}


def sdk_of(folder: Path) -> str:
    """Return the `sdk` in the front matter of a Space's card.

    Raises:
        BadInput: If there is no card, or it names no sdk of the Hub.
    """
    import yaml

    card = folder / "README.md"
    if not card.is_file():
        raise BadInput(
            "there is no README.md, so it is no Space: `convsafe site` makes one", file=card
        )
    parts = card.read_text(encoding="utf-8").split("---\n", 2)
    try:
        front = yaml.safe_load(parts[1]) if len(parts) == 3 else None
    except yaml.YAMLError as error:
        raise BadInput(f"its front matter is no YAML: {error}", file=card) from None
    sdk = front.get("sdk") if isinstance(front, dict) else None
    if sdk not in _SDKS:
        raise BadInput(f"its front matter must name an sdk: {', '.join(_SDKS)}", file=card)
    return str(sdk)
