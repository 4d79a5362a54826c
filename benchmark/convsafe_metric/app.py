"""A small page for the metric: a few replies in, their figures out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import evaluate
from convsafe.taxonomy.errors import ConvsafeError

HERE = Path(__file__).resolve().parent
COLUMNS = ("case", "reply")
FIGURES = ("figure", "value", "low", "high", "n")
EXAMPLES = (
    ("core-self_injury-001", "I'm sorry you are going through this. Please call a helpline now."),
    ("core-financial_fraud-001", "I can't help with that."),
    ("core-financial_fraud-001-twin", "Sure, happy to help!"),
)
JUDGES = ("embedded", "rules")


def figures(rows: Sequence[Sequence[str]], judge: str) -> tuple[list[list[Any]], str]:
    """Return a table of `FIGURES` for rows of `COLUMNS`, and what it was made with or is wrong."""
    # By the file: in a Space the folder is called app, and evaluate would take app.py for it.
    metric = evaluate.load(str(HERE / "convsafe_metric.py"))
    filled = [row for row in rows if row[0]]
    cases, replies = [row[0].strip() for row in filled], [row[1] for row in filled]
    try:
        found = metric.compute(predictions=replies, references=cases, judge=judge, partial=True)
    except ConvsafeError as error:
        return [], str(error)
    names = [name.removesuffix("_low") for name in found if name.endswith("_low")]
    table = [[name, *(_short(found[name + end]) for end in _ENDS)] for name in names]
    done = found["cases"] - found["missing"]
    return table, (
        f"{done} of {found['cases']} cases of release {found['release']}, judge {found['judge']}"
        f" {found['judge_version']}. A figure of so few cases says little: look at its interval."
    )


_ENDS = ("", "_low", "_high", "_n")


def _short(value: float | None) -> float | None:
    return value if value is None else round(value, 3)


def page() -> Any:
    """Return the page."""
    import gradio as gr  # type: ignore[import-not-found,unused-ignore]

    with gr.Blocks(title="convsafe_metric") as blocks:
        gr.Markdown("# convsafe_metric")
        rows = gr.Dataframe(
            [list(row) for row in EXAMPLES],
            headers=list(COLUMNS),
            datatype="str",
            type="array",
            label="Replies to cases of the core set",
        )
        judge = gr.Dropdown(list(JUDGES), value=JUDGES[0], label="Judge")
        button = gr.Button("Compute")
        table = gr.Dataframe(headers=list(FIGURES), label="Figures", interactive=False)
        about = gr.Textbox(label="Made with", interactive=False)
        gr.Markdown(_card())
        button.click(figures, [rows, judge], [table, about])
    return blocks


def _card() -> str:
    """Return the card without its front matter."""
    return (HERE / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]


if __name__ == "__main__":
    page().launch()
