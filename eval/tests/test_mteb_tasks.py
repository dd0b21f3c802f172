"""The mteb tasks: valid metadata, and mteb's own evaluator gives our main score."""

from __future__ import annotations

import pytest
import tinybench
from tinybench import CONCEPTS, WORDS
from tinymodel import write_retriever

mteb = pytest.importorskip("mteb", reason="needs mteb: pip install 'webfaq-eval[mteb]'")

from webfaq_eval.errors import BenchmarkError  # noqa: E402
from webfaq_eval.export.mteb_tasks import retrieval_tasks  # noqa: E402
from webfaq_eval.models.encoder import Settings  # noqa: E402
from webfaq_eval.scoring.score import Request, score  # noqa: E402

SUBSETS = ("tatoeba_deu_health", "lareqa_swa", "webfaq_deu_travel")


def test_each_task_of_the_folder_has_a_class(bench_folder):
    names = {task.metadata.name: task.metadata.main_score for task in retrieval_tasks(bench_folder)}
    assert names == {
        "LAReQADomainsRetrieval": "map_at_20",
        "MewsliXDomainsRetrieval": "map_at_20",
        "TatoebaDomainsRetrieval": "accuracy",
        "TatoebaDomainsRetrievalReverse": "accuracy",
        "WebFAQDomainsRetrieval": "ndcg_at_10",
    }


def test_metadata_name_the_revision_and_languages(bench_folder):
    task = retrieval_tasks(bench_folder)[2]()
    assert len(task.metadata.revision) == 64
    assert task.metadata.eval_langs["tatoeba_swa_health"] == ["swa-Latn", "eng-Latn"]
    assert task.metadata.is_multilingual


def test_a_split_without_retrieval_is_refused(bench_folder):
    with pytest.raises(BenchmarkError, match="no retrieval task in its validation split"):
        retrieval_tasks(bench_folder, "validation")


@pytest.mark.filterwarnings("ignore")
def test_mteb_gives_our_main_score(tmp_path, monkeypatch):
    """Without equal texts: equal scores are ordered by id here, and the other way round by mteb."""
    from sentence_transformers import SentenceTransformer

    monkeypatch.setattr(
        tinybench, "sentence", lambda language, item: WORDS[language].format(CONCEPTS[item], item)
    )
    bench_folder = tinybench.write_bench(tmp_path / "bench")
    folder = write_retriever(tmp_path / "model")
    settings = Settings(model=str(folder), dtype="float32")
    ours = score(Request(settings, str(bench_folder), tmp_path / "out", SUBSETS), quiet=True)
    expected = {
        (result.subset.name, result.subset.direction): result.main.value
        for _, result in ours.results
    }
    chosen = []
    for task in retrieval_tasks(bench_folder):
        names = [name for name in SUBSETS if name in task.metadata.eval_langs]
        if names:
            chosen.append(task().filter_languages(None, hf_subsets=names))
    model = SentenceTransformer(str(folder), device="cpu")
    done = mteb.evaluate(model, chosen, cache=None, show_progress_bar=False)
    theirs = {
        (entry["hf_subset"], "reverse" if one.task_name.endswith("Reverse") else "forward"): entry
        for one in done.task_results
        for entry in one.scores["test"]
    }
    assert set(theirs) == set(expected) and len(expected) == 4
    for key, value in expected.items():
        assert theirs[key]["main_score"] == pytest.approx(value, abs=6e-6), (
            key
        )  # mteb rounds to five digits
