"""A small staged retrieval folder, as docs/retrieval.md has it, for the tests that read one."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
    ) -> None:
        """Write one language: queries (id, text), corpus (id, title, text), right (…, …, kind)."""
        parts = {
            "queries": [dict(zip(QUERIES, (*row, language, "other", "other", row[0]), strict=True)) for row in queries],
            "corpus": [dict(zip(CORPUS, (*row, "eng", "other", "other", row[0]), strict=True)) for row in corpus],
            "qrels": [
                {"query-id": query, "corpus-id": document, "score": 1, "kind": kind, "domain": "other", "membership": "other"}
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
                "read": read,
            }
        )

    def narrow(self, domain: str, **filters: list[list[Any]]) -> None:
        """Add a domain subset of the last language, which reads the same files through filters."""
        whole = self.subsets[-1]
        read = {
            part: {**entry, "filters": filters.get(part, [])}
            for part, entry in whole["read"].items()
        }
        name = f"{whole['name']}_{domain}"
        self.subsets.append({**whole, "name": name, "domain": domain, "read": read})

    def finish(self) -> Path:
        manifest = {"extra": {"retrieval": {"tasks": {}, "subsets": self.subsets}}}
        (self.folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return self.folder
