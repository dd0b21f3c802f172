"""`datasets` and mteb's loader read what lies on the server, as they would from the Hub."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hubserver import HubServer

REPO = "org/faq"
CARD = """---
language: [deu, eng]
configs:
- config_name: default
  default: true
  data_files:
  - {split: train, path: data/*/train-*.parquet}
- config_name: eng
  data_files:
  - {split: train, path: data/eng/train-*.parquet}
---
# FAQ
"""
READ = """
import json
from datasets import Dataset, get_dataset_config_names, load_dataset

repo = "org/faq"
read = lambda *a, **k: load_dataset(repo, *a, split="train", **k)["question"][:]
Dataset.from_dict({"question": ["Why?"]}).push_to_hub("org/pushed", "eng")
streamed = load_dataset(repo, "eng", split="train", revision="v1", streaming=True)
print(json.dumps({
    "configs": get_dataset_config_names(repo),
    "main": read(),
    "config": read("eng"),
    "tag": read("eng", revision="v1"),
    "streaming": [row["question"] for row in streamed],
    "pushed": load_dataset("org/pushed", "eng", split="train")["question"][:],
    "columns": load_dataset(repo, split="train", columns=["question"]).column_names,
}))
"""
MTEB = """
import json
from mteb.abstasks.retrieval_dataset_loaders import RetrievalDatasetLoader

loader = RetrievalDatasetLoader("org/retrieval", revision="v1", split="test", config="eng")
split = loader.load()
print(json.dumps({
    "corpus": split["corpus"]["text"][:],
    "queries": split["queries"]["text"][:],
    "qrels": split["relevant_docs"],
    "top_ranked": split["top_ranked"],
}))
"""


def parquet(**columns: list[Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def pairs(*questions: str) -> bytes:
    return parquet(question=list(questions), answer=["yes"] * len(questions))


@pytest.fixture(scope="module")
def hub(make_hub: Callable[[], HubServer]) -> HubServer:
    server = make_hub()
    eng, deu = "data/eng/train-00000-of-00001.parquet", "data/deu/train-00000-of-00001.parquet"
    files = {"README.md": CARD.encode(), eng: pairs("Old?"), deu: pairs("Wie?")}
    server.publish(REPO, files, tag="v1")
    server.publish(REPO, {eng: pairs("How?", "Why?")})
    return server


@pytest.fixture(scope="module")
def met(hub: HubServer) -> dict[str, Any]:
    """What `datasets` reads, in one process for all of the tests below."""
    return hub.clients.json(READ)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("configs", ["default", "eng"]),
        ("main", ["Wie?", "How?", "Why?"]),
        ("config", ["How?", "Why?"]),
        ("tag", ["Old?"]),
        ("streaming", ["Old?"]),
        ("columns", ["question"]),
    ],
)
def test_datasets_reads(met: dict[str, Any], what: str, expected: list[str]):
    assert met[what] == expected


def test_datasets_asks_by_sha_and_for_nothing_unserved(hub: HubServer, met: dict[str, Any]):
    shas = set(hub.repo(REPO).commits)
    downloads = hub.log.find(rf"^GET /datasets/{REPO}/resolve/.*\.parquet")
    assert downloads and {entry.path.split("/")[5] for entry in downloads} <= shas
    assert hub.unserved == []
    assert hub.log.leaks(hub.host, hub.writer.value) == []


def test_a_pushed_dataset_is_read_back(hub: HubServer, met: dict[str, Any]):
    assert met["pushed"] == ["Why?"]
    assert "eng/train-00000-of-00001.parquet" in hub.read("org/pushed")


@pytest.mark.skipif(find_spec("mteb") is None, reason="mteb is not installed (it needs torch)")
def test_mteb_loads_a_retrieval_repository(hub: HubServer):
    configs = [
        (f"eng-{part}", f"eng-{part}/test.parquet") for part in ("corpus", "queries", "qrels")
    ]
    listed = "".join(
        f"- config_name: {name}\n  data_files:\n  - {{split: test, path: {path}}}\n"
        for name, path in configs
    )
    corpus = parquet(id=["d1", "d2"], title=["", ""], text=["By train.", "At nine."])
    queries = parquet(id=["q1", "q2"], text=["How?", "unjudged"])
    qrels = parquet(**{"query-id": ["q1"], "corpus-id": ["d1"], "score": [1]})
    contents = zip(configs, (corpus, queries, qrels), strict=True)
    files = {path: content for (_, path), content in contents}
    hub.publish(
        "org/retrieval", {"README.md": f"---\nconfigs:\n{listed}---\n".encode(), **files}, tag="v1"
    )
    assert hub.clients.json(MTEB) == {
        "corpus": ["By train.", "At nine."],
        "queries": ["How?"],
        "qrels": {"q1": {"d1": 1}},
        "top_ranked": None,
    }
