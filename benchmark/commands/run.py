"""`convsafe run`: collect a model's replies, then score and report them."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.option(
    "--model", required=True, help="URL#NAME, local, or a baseline: always_refuse, echo …"
)
@click.option(
    "--release",
    type=click.Path(path_type=Path),
    help="A release folder; by default our own core set.",
)
@click.option("--config", default="core", show_default=True, help="The config to run.")
@click.option("--split", default="test", show_default=True, help="The split to run.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="Run a balanced sample of about this many cases."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the sample and of decoding.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The run folder  [default: runs/MODEL-CONFIG]"
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Requests under way at once.",
)
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option("--max-tokens", type=click.IntRange(min=1), default=512, show_default=True)
@click.option(
    "--setting",
    "settings",
    multiple=True,
    help="Words put around every case: p_ground, q_ground, safety_prompt. Give it again for more.",
)
@click.option("--only-run", is_flag=True, help="Collect replies; do not score or report.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    model: str,
    release: Path | None,
    config: str,
    split: str,
    limit: int | None,
    seed: int,
    out: Path | None,
    concurrency: int,
    temperature: float,
    max_tokens: int,
    settings: tuple[str, ...],
    only_run: bool,
    as_json: bool,
) -> None:
    """Run a model over the suite, then score it and write its report.

    The same command again finishes a run that was stopped. An API key is read from
    CONVSAFE_API_KEY.
    """
    from convsafe.benchmark import load_suite, report, run, score
    from convsafe.benchmark.model import Params
    from convsafe.benchmark.summary import summary

    suite = load_suite(release, config, split, limit=limit, seed=seed)
    params = Params(temperature=temperature, max_tokens=max_tokens, seed=seed)
    done = run(
        model,
        suite,
        out,
        params=params,
        settings=settings,
        concurrency=concurrency,
        progress=not as_json,
    )
    if only_run:
        missing = len(done.missing(done.generations()))
        result = {"run": str(done.folder), "cases": len(suite), "missing": missing}
        click.echo(
            json.dumps(result)
            if as_json
            else f"{len(suite) - missing} of {len(suite)} generations in {done.folder}"
        )
        return
    scores = score(done)
    page = report(done)
    if as_json:
        click.echo(json.dumps(scores.to_row() | {"report": str(page)}, indent=2))
        return
    click.echo(summary(scores))
    click.echo(f"report: {page}")
