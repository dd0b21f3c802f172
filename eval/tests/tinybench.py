"""A tiny retrieval data set in the layout of docs/retrieval.md, written by hand-made rules.

    from tinybench import write_bench
    folder = write_bench(tmp_path / "bench")

Every task is there: `tatoeba` (deu, swa; items parallel over languages, one duplicate text), `lareqa`
(eng, deu, swa in one pool), `mewslix` (deu, swa; one candidate an entity), `bucc` (deu; test and
validation, unpaired sentences), `webfaq` (eng, deu). Domains health, travel, other; some items are
`health+travel`. Domain subsets have own queries and qrels and read the same corpus file.
Texts are toy words, so that equal concepts share a word in all languages and BM25 finds something.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.ground.files import file_sha256, value_sha256

ITEMS = 24
DOMAINS = ("health", "travel", "other")
CONCEPTS = (
    "apple", "river", "stone", "cloud", "bread", "tiger", "window", "copper", "garden", "violin",
    "harbor", "lemon", "mirror", "needle", "orchid", "pepper", "quartz", "rocket", "saddle", "timber",
    "umbrella", "valley", "whistle", "yellow",
)  # fmt: skip
WORDS = {
    "eng": "where is the {} of {} today",
    "deu": "wo ist der {} von {} heute",
    "swa": "wapi {} ya {} leo",
}
METRICS = {
    "tatoeba": "accuracy", "lareqa": "map_at_20", "mewslix": "map_at_20", "bucc": "f1",
    "webfaq": "ndcg_at_10",
}  # fmt: skip
_S = pa.string()
CORPUS = pa.schema([(n, _S) for n in ("id", "title", "text", "language", "domain", "membership", "item")])  # fmt: skip
QUERIES = pa.schema(
    [(n, _S) for n in ("id", "text", "language", "domain")]
    + [("domain_score", pa.float32()), ("membership", _S), ("item", _S)]
)
QRELS = pa.schema(
    [("query-id", _S), ("corpus-id", _S), ("score", pa.int32())]
    + [(n, _S) for n in ("kind", "domain", "membership")]
)
SCHEMAS = {"corpus": CORPUS, "queries": QUERIES, "unpaired": QUERIES, "qrels": QRELS}


def item_domain(item: int) -> tuple[str, str]:
    """Return (domain, membership) of an item: half other, a third health, some in two domains."""
    if item % 6 == 5:
        return "health", "health+travel"
    domain = ("health", "other", "travel", "other")[item % 4]
    return domain, domain


def sentence(language: str, item: int) -> str:
    """Return the item's sentence in a language; items 7 and 8 share their English text."""
    shown = 7 if language == "eng" and item == 8 else item
    return WORDS[language].format(CONCEPTS[shown], CONCEPTS[(shown * 5 + 3) % ITEMS])


@dataclass
class Bench:
    """Rows by file, and the manifest's subsets, as they are collected."""

    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    subsets: list[dict[str, Any]] = field(default_factory=list)

    def add(self, part: str, place: tuple[str, str, str], rows: list[dict[str, Any]]) -> str:
        task, name, split = place
        path = f"data/{task}/{part}/{name}-{split}-00000-of-00001.parquet"
        key = "query-id" if part == "qrels" else "id"
        self.files[path] = sorted(rows, key=lambda row: (row[key], row.get("corpus-id", "")))
        return path

    def add_subsets(self, place: tuple[str, str, str], paths: dict[str, str]) -> None:
        """Add the whole language and each domain of it, in both pools."""
        self._entry(place, paths, None, "full")
        for domain in DOMAINS[:2]:
            for pool in ("full", "domain"):
                self._entry(place, paths, domain, pool)

    def _entry(
        self, place: tuple[str, str, str], paths: dict[str, str], domain: str | None, pool: str
    ) -> None:
        task, language, split = place
        chosen = [["domain", "==", domain]] if domain else []
        members = sorted({r["membership"] for r in self.files[paths["corpus"]]})
        inside = [m for m in members if domain in m.split("+")]
        filters = dict.fromkeys(paths, chosen)
        filters["corpus"] = [["membership", "in", inside]] if pool == "domain" else []
        filters["unpaired"] = []
        rows = {part: self._kept(paths[part], filters[part]) for part in paths}
        official = [row for row in rows["qrels"] if row["kind"] == "official"]
        pooled = {row["id"] for row in rows["corpus"]}
        twins = [r for r in rows["qrels"] if r["kind"] == "duplicate" and r["corpus-id"] in pooled]
        name = "_".join(filter(None, (task, language, domain, "pool" if pool == "domain" else "")))
        read = {part: {"files": [paths[part]], "filters": filters[part]} for part in paths}
        self.subsets.append(
            {
                "name": name, "task": task, "language": language, "domain": domain,
                "membership": "exclusive", "pool": pool, "split": split,
                "queries": len(rows["queries"]), "corpus": len(rows["corpus"]),
                "qrels": len(official), "duplicates": len(twins),
                "read": read,
            }
        )  # fmt: skip

    def _kept(self, path: str, filters: list[list[Any]]) -> list[dict[str, Any]]:
        rows = self.files[path]
        for column, operator, value in filters:
            rows = [
                r for r in rows if (r[column] == value if operator == "==" else r[column] in value)
            ]
        return rows

    def write(self, folder: Path) -> Path:
        entries = []
        for path, rows in sorted(self.files.items()):
            schema = SCHEMAS[path.split("/")[2]]
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / path)
            entries.append({
                "path": path, "rows": len(rows), "bytes": (folder / path).stat().st_size,
                "sha256": file_sha256(folder / path),
            })  # fmt: skip
        tasks = {
            task: {
                "metric": metric, "licence": "CC0-1.0", "redistributable": True,
                "homepage": "https://example.org", "citation": "",
            }
            for task, metric in METRICS.items()
        }  # fmt: skip
        manifest = {
            "artifact": "xtreme-r-domains", "version": None, "manifest_version": 1, "files": entries,
            "content_digest": value_sha256([self.files, self.subsets]),
            "extra": {"retrieval": {"tasks": tasks, "subsets": self.subsets}},
        }  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        return folder


def text_row(row_id: str, language: str, item: int, text: str) -> dict[str, Any]:
    """Return a row that serves as query and as candidate; surplus columns are left out on writing."""
    domain, membership = item_domain(item)
    return {
        "id": row_id, "title": "", "text": text, "language": language, "domain": domain,
        "domain_score": 0.75, "membership": membership, "item": f"item-{item:03d}",
    }  # fmt: skip


def judged(query: dict[str, Any], candidate: str, kind: str = "official") -> dict[str, Any]:
    return {
        "query-id": query["id"], "corpus-id": candidate, "score": 1, "kind": kind,
        "domain": query["domain"], "membership": query["membership"],
    }  # fmt: skip


def judge(queries: list[dict[str, Any]], corpus: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge by item: the same item is right, an equal text of another item is a duplicate."""
    rows = []
    for query in queries:
        right = [row for row in corpus if row["item"] == query["item"]]
        texts = {(row["title"], row["text"]) for row in right}
        rows += [judged(query, row["id"]) for row in right]
        rows += [
            judged(query, row["id"], "duplicate")
            for row in corpus
            if row["item"] != query["item"] and (row["title"], row["text"]) in texts
        ]
    return rows


def _pairs(bench: Bench, task: str, language: str) -> None:
    """Tatoeba and WebFAQ: one candidate an item, a pool for each language."""
    answer = "eng" if task == "tatoeba" else language
    tail = "" if task == "tatoeba" else " answered here"
    queries = [
        text_row(f"{language}-{i:03d}", language, i, sentence(language, i)) for i in range(ITEMS)
    ]
    corpus = [text_row(f"a-{i:03d}", answer, i, sentence(answer, i) + tail) for i in range(ITEMS)]
    place = (task, language, "test")
    paths = {
        "corpus": bench.add("corpus", place, corpus),
        "queries": bench.add("queries", place, queries),
        "qrels": bench.add("qrels", place, judge(queries, corpus)),
    }
    bench.add_subsets(place, paths)


def _mixed(bench: Bench) -> None:
    """LAReQA: every language has a candidate for every item, all in one pool, with titles."""
    corpus = []
    for language in WORDS:
        for i in range(ITEMS):
            row = text_row(
                f"{language}-s{i:03d}", language, i, "paragraph " + sentence(language, i)
            )
            corpus.append({**row, "title": sentence(language, i)})
    pool = bench.add("corpus", ("lareqa", "all", "test"), corpus)
    for language in WORDS:
        queries = [
            text_row(f"{language}-q{i:03d}", language, i, sentence(language, i))
            for i in range(ITEMS)
        ]
        place = ("lareqa", language, "test")
        bench.add_subsets(place, {
            "corpus": pool,
            "queries": bench.add("queries", place, queries),
            "qrels": bench.add("qrels", place, judge(queries, corpus)),
        })  # fmt: skip


def _entities(bench: Bench) -> None:
    """Mewsli-X: one English description an entity, in one pool; two mentions an entity."""
    corpus = [{**text_row(f"Q{i:03d}", "eng", i, sentence("eng", i)), "title": CONCEPTS[i]} for i in range(ITEMS)]  # fmt: skip
    pool = bench.add("corpus", ("mewslix", "all", "test"), corpus)
    for language in ("deu", "swa"):
        place = ("mewslix", language, "test")
        queries = [
            text_row(f"{language}-{i:03d}-{n}", language, i, f"{sentence(language, i)} nr {n}")
            for i in range(ITEMS)
            for n in range(2)
        ]
        rows = [judged(query, "Q" + query["item"][-3:]) for query in queries]
        bench.add_subsets(place, {
            "corpus": pool,
            "queries": bench.add("queries", place, queries),
            "qrels": bench.add("qrels", place, rows),
        })  # fmt: skip


def _mining(bench: Bench) -> None:
    """BUCC: 16 gold pairs, 4 sentences without a partner on each side; test and validation."""
    for split in ("test", "validation"):
        place = ("bucc", "deu", split)
        shift = 0 if split == "test" else 4
        gold = [(shift + i) % ITEMS for i in range(16)]
        rest = [(shift + i) % ITEMS for i in range(16, 20)]
        queries = [text_row(f"de-{i:03d}", "deu", i, sentence("deu", i)) for i in gold]
        unpaired = [text_row(f"de-u{i:03d}", "deu", i, f"{CONCEPTS[i]} ohne partner") for i in rest]
        corpus = [text_row(f"en-{i:03d}", "eng", i, sentence("eng", i)) for i in gold]
        corpus += [
            text_row(f"en-u{i:03d}", "eng", i, f"alone {CONCEPTS[-1 - i]} here") for i in rest
        ]
        rows = [judged(query, "en-" + query["id"][3:]) for query in queries]
        bench.add_subsets(place, {
            "corpus": bench.add("corpus", place, corpus),
            "queries": bench.add("queries", place, queries),
            "qrels": bench.add("qrels", place, rows),
            "unpaired": bench.add("unpaired", place, unpaired),
        })  # fmt: skip


def write_bench(folder: Path) -> Path:
    """Write the tiny data set into a folder and return it; the same bytes every time."""
    bench = Bench()
    for language in ("deu", "swa"):
        _pairs(bench, "tatoeba", language)
    for language in ("eng", "deu"):
        _pairs(bench, "webfaq", language)
    _mixed(bench)
    _entities(bench)
    _mining(bench)
    return bench.write(folder)
