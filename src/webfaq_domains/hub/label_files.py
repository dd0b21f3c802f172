"""Label files: the rows as they are, plus `domain`, `domain_score`, `domains` and `labeler`."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from webfaq_domains.engine.shards import replacing
from webfaq_domains.errors import SchemaError, SourceError
from webfaq_domains.schema import require
from webfaq_domains.steps.label import LabelDomain

BATCH_ROWS = 10_000


@dataclass
class Labelled:
    """The result: rows by domain, and the input rows that could not be labelled, by reason."""

    out: Path
    rows: int = 0
    domains: Counter[str] = field(default_factory=Counter)
    unlabelled: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "rows": self.rows,
            "domains": dict(self.domains.most_common()),
            "unlabelled": dict(self.unlabelled),
        }

    def text(self) -> str:
        lines = [f"{domain:<16}{rows:>12,}" for domain, rows in self.domains.most_common()]
        lines += [f"unlabelled ({why}): {rows:,}" for why, rows in self.unlabelled.items()]
        return "\n".join([*lines, f"{self.rows:,} rows in {self.out}"])


def label_files(
    files: Sequence[Path],
    out: Path,
    labeler: str = "builtin",
    cascade: bool = False,
    quiet: bool = False,
) -> Labelled:
    """Label the rows of `files` in order into one file; every row stays, in its place.

    A row without a question or an answer gets nulls in the new columns and is counted.

    :raises SourceError: if a file is neither .parquet nor .jsonl(.gz), or cannot be read.
    :raises SchemaError: if question or answer is missing, or a new column is already there.
    """
    kind = ".parquet" if out.suffix == ".parquet" else ".jsonl"
    if kind == ".jsonl" and out.suffix != ".jsonl":
        raise SourceError(f"--out {out}: expected a name that ends in .parquet or .jsonl")
    step, result = LabelDomain(labeler, cascade), Labelled(out)
    with (
        replacing(out) as temporary,
        tqdm(desc="label", unit=" rows", unit_scale=True, disable=quiet) as bar,
    ):
        writer: Any = None
        try:
            for rows in _read_all(files):
                labelled = _label(rows, step, result)
                writer = writer or _open(temporary, kind, labelled.schema)
                writer.write_table(labelled.cast(writer.schema))
                bar.update(len(rows))
        except (pa.ArrowException, ValueError) as error:
            raise SourceError(
                f"the rows of {', '.join(map(str, files))} do not have one set of columns: {error}"
            ) from error
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise SourceError(f"{', '.join(map(str, files))}: no rows")
    return result


def _label(rows: pa.Table, step: LabelDomain, result: Labelled) -> pa.Table:
    present = [name for name in step.adds if name in rows.column_names]
    if present:
        raise SchemaError(
            f"the rows already have {', '.join(present)}; drop or rename these columns"
        )
    filled = rows
    for name in ("question", "answer"):
        text = rows[name].cast(pa.string())
        filled = filled.set_column(rows.column_names.index(name), name, text.fill_null(""))
    labelled = step(filled).kept
    missing = [
        not q or not a
        for q, a in zip(filled["question"].to_pylist(), filled["answer"].to_pylist(), strict=True)
    ]
    out = rows
    for name in step.adds:
        values = labelled[name].to_pylist()
        values = [None if gone else value for value, gone in zip(values, missing, strict=True)]
        out = out.append_column(name, pa.array(values, labelled.schema.field(name).type))
    result.rows += len(rows)
    result.unlabelled.update({"question or answer missing": sum(missing)} if any(missing) else {})
    result.domains.update(domain for domain in out["domain"].to_pylist() if domain is not None)
    return out


class _JsonLines:
    """Writes tables as JSON Lines, with the interface of `pq.ParquetWriter`."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self._file: IO[str] = path.open("w", encoding="utf-8")

    def write_table(self, rows: pa.Table) -> None:
        for row in rows.to_pylist():
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()


def _open(path: Path, kind: str, schema: pa.Schema) -> Any:
    if kind == ".parquet":
        return pq.ParquetWriter(path, schema, compression="zstd", write_page_index=True)
    return _JsonLines(path, schema)


def _read_all(files: Sequence[Path]) -> Iterator[pa.Table]:
    for path in files:
        try:
            for rows in _read(path):
                require(rows.column_names, ("question", "answer"), str(path))
                yield rows
        except (OSError, EOFError, pa.ArrowException) as error:
            raise SourceError(f"{path} cannot be read: {error}") from error


def _read(path: Path) -> Iterator[pa.Table]:
    if path.suffix == ".parquet":
        for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS):
            yield pa.Table.from_batches([batch])
        return
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise SourceError(f"{path}: expected a file that ends in .parquet, .jsonl or .jsonl.gz")
    with _opened(path) as file:
        rows: list[dict[str, Any]] = []
        for number, line in enumerate(file, start=1):
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise SourceError(f"{path}:{number}: not a JSON object: {error}") from error
            if len(rows) == BATCH_ROWS:
                yield pa.Table.from_pylist(rows)
                rows = []
        if rows:
            yield pa.Table.from_pylist(rows)


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")
