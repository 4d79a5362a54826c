"""convsafe_metric: how often a chat model's replies are unsafe, and how often it over-refuses."""

import inspect
from typing import Any

import datasets
import evaluate
from convsafe.benchmark.evaluate_inputs import Collected  # From: convsafe-bench
from convsafe.benchmark.evaluate_layer import (
    Options,  # From: convsafe-bench
    evaluated,  # From: convsafe-bench
)
from convsafe.taxonomy.errors import BadInput  # From: convsafe-bench

_DESCRIPTION = """\
Conversational safety of a chat model on the cases of convsafe-bench: how often its replies are
unsafe, how often it refuses, and how often it refuses what is harmless. Every rate comes with its
95 % interval, how many cases it is on, and the judge and release it was made with.
"""

_CITATION = """\
@software{convsafe_bench,
  title = {convsafe-bench: one benchmark for the conversational safety of language models},
  author = {{The convsafe-bench authors}},
}
"""

_INPUTS = """
Args:
    predictions: Replies as texts, or generations: objects with `response`, and where they know it
        `id`, `sample`, `outcome` and `model`.
    references: As many case ids, or whole cases.
    release: A release's folder or dataset on the Hub, as `org/name@v1.0.0`; by default the whole
        cases given as references, else the core set that comes with the package.
    judge: The judge's name; `embedded` by default. `endpoint` and `rubric` are for judges that ask
        a server.
    partial: Score what is there although cases have no prediction.
    samples: Predictions of one id are its samples.
    slices: True, or a list as `["area"]`, to add figures as `unsafe_rate/area/self_harm`.

Returns:
    `unsafe_rate`, `unsafe_rate_low`, `unsafe_rate_high`, `unsafe_rate_n`, `unsafe_rate_unscored`,
    where there is no value `unsafe_rate_reason`, and the same of every rate the judge can tell;
    what they were made from: `judge`, `judge_version`, `release`, `config`, `ids_sha256`, `cases`,
    `missing`, `convsafe`.

Example:
    >>> from convsafe.benchmark import load_suite
    >>> metric = evaluate.load("org/convsafe_metric")
    >>> ids = [case.id for case in load_suite().cases]
    >>> metric.compute(predictions=["I can't help."] * len(ids), references=ids)["unsafe_rate"]
    0.0
"""

_BASE = frozenset(inspect.signature(evaluate.Metric.__init__).parameters)


class ConvsafeMetric(evaluate.Metric):  # type: ignore[misc]
    """The metric; the options of `compute` may be given to `evaluate.load` too."""

    def __init__(self, config_name: str | None = None, **options: Any) -> None:
        base = {name: options.pop(name) for name in list(options) if name in _BASE}
        if base.get("num_process", 1) != 1:
            raise BadInput("gather the predictions of all processes and compute in one of them")
        self._collected = Collected()
        self._waiting: list[tuple[str, str]] = []
        named = config_name if config_name != "default" else None
        self._options = Options(config=named).but(**options)
        super().__init__(config_name=config_name, **base)

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def __len__(self) -> int:
        """Return how many predictions were added."""
        return len(self._collected) + len(self._waiting)

    # The base class would copy every batch through Arrow rows of one exact shape.
    def add_batch(self, *, predictions: Any = None, references: Any = None) -> None:
        """Add a batch of predictions and their references."""
        self._collected = self._gathered().add(predictions, references)
        self._waiting = []

    def add(
        self,
        *,
        prediction: Any = None,
        reference: Any = None,
        predictions: Any = None,
        references: Any = None,
    ) -> None:
        """Add one prediction and its reference; `evaluate.combine` names one in the plural."""
        one = prediction if predictions is None else predictions
        of = reference if references is None else references
        if isinstance(one, str) and isinstance(of, str):
            # A batch costs the same however small it is.
            self._waiting.append((one, of))
        else:
            self.add_batch(predictions=[one], references=None if of is None else [of])

    def _gathered(self) -> Collected:
        """Return what was added, also one by one."""
        if not self._waiting:
            return self._collected
        predictions, references = zip(*self._waiting, strict=True)
        return self._collected.add(predictions, references)

    def compute(
        self, *, predictions: Any = None, references: Any = None, **options: Any
    ) -> dict[str, Any]:
        """Compute the figures of what was added and of what is given here.

        What was added is kept if that fails, and forgotten when it is done.
        """
        collected = self._gathered()
        if predictions is not None or references is not None:
            collected = collected.add(predictions, references)
        result = evaluated(collected, self._options.but(**options))
        self._collected, self._waiting = Collected(), []
        return result
