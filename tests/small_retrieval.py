"""A small staged retrieval folder, as docs/retrieval.md has it, for the tests that read one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CORPUS = ("id", "title", "text", "language", "domain", "membership", "item")
QUERIES = ("id", "text", "language", "domain", "membership", "item")


@dataclass
class SmallRetrieval:
    """Write tasks one by one with `add`; `finish` writes the manifest."""

    folder: Path
    subsets: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        task: str,
        language: str,
        queries: Sequence[tuple[str, str]],
        corpus: Sequence[tuple[str, str, str]],
        right: Sequence[tuple[str, str, str]],
        split: str = "test",
        domains: dict[str, str] | None = None,
    ) -> None:
        """Write one language: queries (id, text), corpus (id, title, text), right (…, …, kind).

        `domains` gives some queries another domain than `other`.
        """
        asked = domains or {}
        parts = {
            "queries": [dict(zip(QUERIES, (*row, language, asked.get(row[0], "other"), "other", row[0]), strict=True)) for row in queries],
            "corpus": [dict(zip(CORPUS, (*row, "eng", "other", "other", row[0]), strict=True)) for row in corpus],
            "qrels": [
                {"query-id": query, "corpus-id": document, "score": 1, "kind": kind, "domain": asked.get(query, "other"), "membership": "other"}
                for query, document, kind in right
            ],
        }  # fmt: skip
        read = {}
        for part, rows in parts.items():
            path = f"data/{task}/{part}/{language}-{split}-00000-of-00001.parquet"
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows), self.folder / path)
            read[part] = {"files": [path], "filters": []}
        self.subsets.append(
            {
                "name": f"{task}_{language}",
                "task": task,
                "language": language,
                "domain": None,
                "membership": "exclusive",
                "pool": "full",
                "split": split,
                "queries": len(queries),
                "corpus": len(corpus),
                "qrels": sum(kind == "official" for _, _, kind in right),
                "duplicates": sum(kind == "duplicate" for _, _, kind in right),
                "unpaired": 0,
                "read": read,
            }
        )

    def narrow(self, domain: str) -> None:
        """Add a domain subset of the last language, which reads the same files through filters."""
        whole = self.subsets[-1]
        chosen = {"queries": [["domain", "==", domain]], "qrels": [["domain", "==", domain]]}
        read = {
            part: {**entry, "filters": chosen.get(part, [])}
            for part, entry in whole["read"].items()
        }
        name = f"{whole['name']}_{domain}"
        self.subsets.append({**whole, "name": name, "domain": domain, "read": read})

    def finish(self) -> Path:
        paths = sorted({p for s in self.subsets for r in s["read"].values() for p in r["files"]})
        tasks = {subset["task"] for subset in self.subsets}
        manifest = retrieval_manifest(self.subsets, tasks, paths)
        (self.folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return self.folder


def retrieval_manifest(
    subsets: list[dict[str, Any]], tasks: Iterable[str], paths: Sequence[str]
) -> dict[str, Any]:
    """Return a manifest of subsets that lacks nothing; what nobody asks for is made up."""
    texts = ("title", "metric", "licence", "homepage", "citation")
    about = {"pretty_name": "small", "license": "other", "contact": "nobody", "license_name": "x"}
    task = {**dict.fromkeys(texts, "x"), "redistributable": True, "texts": True}
    return {
        "artifact": "xtreme-r-domains", "code_version": "0", "schema_version": "1.0.0",
        "taxonomy": {"version": "1", "sha256": "0" * 64, "slugs": ["health", "other"]},
        "labelers": [], "sources": [], "recipe_hash": "0" * 64, "content_digest": "0" * 32,
        "recipe": {"about": about, "subsets": {"min_queries": 1}, "configs": {"multi": False}},
        "files": [{"path": path, "rows": 0, "bytes": 0, "sha256": "0" * 64} for path in paths],
        "ledger": {"rows_in": 0, "rows_out": 0, "dropped": {}, "quarantined": {}},
        "configs": {"multi": False, "count": 0}, "writer": {"pyarrow": "0"},
        "version": None, "manifest_version": 1,
        "extra": {
            "retrieval": {"tasks": dict.fromkeys(tasks, task), "subsets": subsets},
            "stability": {}, "sizes": {"data": 0, "raw_text": 0, "ratio": 0.0},
        },
    }  # fmt: skip
