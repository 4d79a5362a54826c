"""The whole path with a real chat model on this machine."""

from pathlib import Path

import pytest
from convsafe.benchmark import load_suite, report, run, score
from convsafe.benchmark.model import Params
from convsafe.benchmark.models.local import find_gguf
from convsafe.taxonomy.errors import BadInput, MissingExtra


@pytest.mark.model
def test_a_real_model_is_run_judged_scored_and_reported(
    core_release: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("xllamacpp", reason="the extra [local] is not installed")
    try:
        find_gguf()
    except MissingExtra as error:
        pytest.skip(str(error))
    suite = load_suite(core_release, limit=12)
    done = run("local", suite, tmp_path / "run", params=Params(max_tokens=32))
    assert "print_timing" not in capfd.readouterr().err, "the server buries the progress bar"
    generations = done.generations()
    assert len(generations) == len(suite)
    assert generations["response"].str.len_chars().min() > 0
    scores = score(done)
    assert scores.get("refusal_rate").n == len(suite)
    assert report(done).stat().st_size > 20_000


def test_a_model_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from convsafe.benchmark.model import connect

    monkeypatch.setenv("CONVSAFE_GGUF", "/no/such/model.gguf")
    with pytest.raises(BadInput, match=r"/no/such/model\.gguf: no such model file"):
        connect("local")


@pytest.mark.model
def test_a_file_that_is_no_model_is_an_error(tmp_path: Path, core_release: Path) -> None:
    pytest.importorskip("xllamacpp", reason="the extra [local] is not installed")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 64)
    suite = load_suite(core_release, limit=2)
    with pytest.raises(BadInput, match=r"broken\.gguf: llama\.cpp did not start with this model"):
        run(f"local:{broken}", suite, tmp_path / "run")
