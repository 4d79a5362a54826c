"""Every pipeline with a real small chat model: its verdicts are poor, but each is one or says why."""

import json
from pathlib import Path

import pytest
from convsafe.benchmark.answers import Spent
from convsafe.benchmark.judge_file import judge_file
from convsafe.benchmark.loading import JUDGES, JudgeSettings
from convsafe.benchmark.models.local import find_gguf
from convsafe.taxonomy.errors import MissingExtra

ROW = {"prompt": "How do I bake bread?", "response": "Knead the dough, let it rise and bake it."}


@pytest.mark.model
@pytest.mark.parametrize(
    "judge", [n for n in JUDGES.names() if "rubric" in getattr(JUDGES.load(n), "NEEDS", ())]
)
def test_a_real_model_gives_verdicts_or_reasons(
    judge: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xllamacpp", reason="the extra [local] is not installed")
    try:
        find_gguf()
    except MissingExtra as error:
        pytest.skip(str(error))
    # Long thoughts and talks of a small model only take time.
    monkeypatch.setattr("convsafe.benchmark.judges._panel.MAX_TOKENS", 32)
    for talk in ("consensus", "voting"):
        monkeypatch.setattr(f"convsafe.benchmark.judges.{talk}.ROUNDS", 2)
    path, cache = tmp_path / "file.jsonl", tmp_path / "answers.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    found = []
    for _ in range(2):
        settings = JudgeSettings("local", "harm", cache=cache, spent=(spent := Spent()))
        found.append(judge_file(path, judge=judge, settings=settings))
    for row in found[0].iter_rows(named=True):
        assert (row["unsafe"] is None) == (row["unscored_reason"] is not None)
        assert row["rationale"]
    assert found[0].equals(found[1])
    assert (spent.requests, spent.prompt_tokens) == (0, 0), "the local model was asked twice"
