"""`convsafe judge`: judge a file of requests and replies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from convsafe.benchmark.attack_commands import attacks_command
from convsafe.benchmark.judge_options import judge_options
from convsafe.benchmark.label_commands import export_labels_command, import_labels_command
from convsafe.benchmark.loading import DEFAULT

if TYPE_CHECKING:
    from convsafe.benchmark.loading import JudgeSettings


class FileGroup(click.Group):
    """A group whose first argument, where it names no command, is the file to judge."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command; anything else goes to `file` with all that was typed."""
        if self.get_command(ctx, args[0]) is None:
            args = ["file", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments; options before the file are its own too."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = ["file", *args]
        return super().parse_args(ctx, args)


@click.group("judge", cls=FileGroup, subcommand_metavar="FILE [OPTIONS]")
def command() -> None:
    """Judge a CSV, JSON, JSONL or Parquet FILE of requests and replies.

    Options: --judge NAME, --prompt, --response and --id COLUMN, --out VERDICTS.jsonl, --page
    FILE.html, --json; for a judge that asks a model --endpoint and --rubric; see
    `convsafe judge file --help`.
    """


command.add_command(export_labels_command)
command.add_command(import_labels_command)
command.add_command(attacks_command)


@command.command("file", hidden=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--judge", default=DEFAULT, show_default=True, help="The judge's name.")
@click.option("--prompt", help="The column of requests  [default: guessed]")
@click.option("--response", help="The column of replies  [default: guessed]")
@click.option("--id", "id", help="The column of ids  [default: id, or the row's number]")
@click.option("--out", type=click.Path(path_type=Path), help="Write the verdicts here, as JSONL.")
@click.option("--page", type=click.Path(path_type=Path), help="Write a page of rationales here.")
@judge_options
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def judge_one(
    file: Path,
    judge: str,
    prompt: str | None,
    response: str | None,
    id: str | None,
    out: Path | None,
    page: Path | None,
    as_json: bool,
    settings: JudgeSettings,
) -> None:
    """Judge a CSV, JSON, JSONL or Parquet file."""
    from convsafe.benchmark.judge_file import counts, judge_file
    from convsafe.benchmark.loading import load_judge, unsafe_from
    from convsafe.benchmark.rationale_page import write_page

    columns = {"prompt": prompt, "response": response}
    verdicts = judge_file(file, judge=judge, **columns, id=id, out=out, settings=settings)
    if page is not None:
        write_page(file, verdicts, page, judge=judge, **columns, settings=settings)
    loaded = load_judge(judge, settings)
    found = {"judge": loaded.name, **counts(verdicts, unsafe_from(loaded.made_with))}
    if loaded.made_with:
        found["made_with"] = {"version": loaded.VERSION, **loaded.made_with}
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else _shown(found))


def _shown(found: dict[str, Any]) -> str:
    """Return the counts as lines; what was not scored is no stance."""
    lines = [f"judge {found['judge']}, {found['n']} replies, {found['unscored']} unscored"]
    lines += [f"  {stance:<12}{n:>7}" for stance, n in found["stances"].items()]
    if found["unsafe"] is not None:
        above = f"probability of {found['unsafe_from']} or more"
        lines.append(f"  {'unsafe':<12}{found['unsafe']:>7}  ({above})")
    lines += [
        f"  {name:<32}{score['mean']:>7.3f}  (mean of {score['n']})"
        for name, score in found["scores"].items()
    ]
    lines += [f"  unscored {n:>10}  {why}" for why, n in found["unscored_reasons"].items()]
    return "\n".join(lines)
