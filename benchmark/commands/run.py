"""`convsafe run`: collect a model's replies, then score and report them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from convsafe.benchmark.run_options import run_options

if TYPE_CHECKING:
    from convsafe.benchmark.costs import Budget
    from convsafe.benchmark.limits import Limits


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
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option("--top-p", type=click.FloatRange(min=0, max=1), help="Sample from this much.")
@click.option("--max-tokens", type=click.IntRange(min=1), default=512, show_default=True)
@click.option(
    "--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Replies a case."
)
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="NAME[:KEY=VALUE]",
    help="Put around every turn: p_ground, q_ground, safety_prompt … Give it again for more.",
)
@click.option(
    "--guard",
    "guards",
    multiple=True,
    metavar="WHERE:JUDGE[@ENDPOINT]",
    help="A judge before or behind the model: output:embedded, input:llama_guard_3@URL#NAME."
    " Give it again for more.",
)
@click.option(
    "--dialogue",
    default="single",
    show_default=True,
    metavar="NAME[:KEY=VALUE]",
    help="How a case is held as a conversation.",
)
@click.option("--user", metavar="MODEL", help="The model that speaks for a simulated user.")
@run_options
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
    temperature: float,
    top_p: float | None,
    max_tokens: int,
    samples: int,
    settings: tuple[str, ...],
    guards: tuple[str, ...],
    dialogue: str,
    user: str | None,
    limits: Limits,
    budget: Budget,
    only_run: bool,
    as_json: bool,
) -> None:
    """Run a model over the suite, then score it and write its report.

    The same command again finishes a run that was stopped. An API key is read from
    CONVSAFE_API_KEY.
    """
    from convsafe.benchmark import load_suite, run
    from convsafe.benchmark.finishing import finish
    from convsafe.benchmark.model import Params

    suite = load_suite(release, config, split, limit=limit, seed=seed, dialogue=dialogue)
    params = Params(temperature=temperature, max_tokens=max_tokens, seed=seed, top_p=top_p)
    done = run(
        model,
        suite,
        out,
        params=params,
        settings=settings,
        guards=guards,
        dialogue=dialogue,
        user=user,
        samples=samples,
        limits=limits,
        budget=budget,
        progress=not as_json,
    )
    finish(done, only_run=only_run, as_json=as_json)
