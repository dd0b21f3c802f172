"""The FAQ pairs to train on: a staged or published `webfaq-domains` folder, and an index of it.

The index holds 21 bytes a pair whatever the texts' length (200 million pairs: 4.2 GB, twice that while
it is put together); texts are read later, and only those of the chosen pairs (`texts.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.ground.files import value_sha256
from webfaq_eval.errors import TaskDataError
from webfaq_eval.pairs.held_out import HeldOut, hold_out

#: A pair's id: 128 bits as two numbers, so that ids compare, sort and hash as arrays.
ID = np.dtype([("high", np.uint64), ("low", np.uint64)])
_HEX = np.dtype([("high", ">u8"), ("low", ">u8")])
Ids = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]

COLUMNS = ("id", "language", "question", "answer", "origin", "domain")
_REBUILD = "build or fetch the folder again"


@dataclass(frozen=True)
class PairFolder:
    """A checked `webfaq-domains` folder: where it is and which data files its manifest names.

    `digest` says which pairs these are: the manifest's digest of all rows.
    """

    folder: Path
    digest: str
    files: tuple[tuple[str, int], ...]

    def of_split(self, split: str) -> list[Path]:
        """Return the Parquet files of a split, in the order of their names."""
        return [
            self.folder / path for path, _ in self.files if Path(path).name.startswith(f"{split}-")
        ]

    def tables(self, split: str, columns: tuple[str, ...]) -> Iterator[pa.Table]:
        """Yield the rows of a split, at most one row group (50,000 rows) at a time.

        :raises TaskDataError: if a file is broken or lacks a column.
        """
        rows = dict(self.files)
        for path in self.of_split(split):
            name = path.relative_to(self.folder).as_posix()
            try:
                file = pq.ParquetFile(path)
                if file.metadata.num_rows != rows[name]:
                    raise TaskDataError(
                        f"{path} has {file.metadata.num_rows:,} rows, the manifest says "
                        f"{rows[name]:,}: {_REBUILD}"
                    )
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group, columns=list(columns)).select(columns)
            except (OSError, pa.ArrowException, KeyError) as error:
                raise TaskDataError(f"{path} cannot be read as pairs ({error})") from error


def open_pairs(where: str | Path) -> PairFolder:
    """Open a folder, or `org/name@revision` of the Hub, as training pairs.

    A revision is resolved to a commit once, and the files of that commit are fetched.

    :raises TaskDataError: if it is no `webfaq-domains` data set or lacks files.
    """
    folder = Path(where)
    if not folder.is_dir():
        folder = _fetch(str(where))
    manifest = _manifest(folder)
    files = tuple((str(file["path"]), int(file["rows"])) for file in manifest["files"])
    missing = [path for path, _ in files if not (folder / path).is_file()]
    if missing:
        raise TaskDataError(
            f"{folder} lacks {len(missing)} files of its manifest, first {missing[0]}: {_REBUILD}"
        )
    data = tuple(sorted(file for file in files if file[0].startswith("data/")))
    if not data:
        raise TaskDataError(f"the manifest of {folder} names no file in data/: {_REBUILD}")
    return PairFolder(folder, str(manifest["content_digest"]), data)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["artifact"] != "webfaq-domains":
            raise TaskDataError(
                f"{path} describes {manifest['artifact']!r}; training reads 'webfaq-domains'"
            )
        value_sha256([manifest["files"], manifest["content_digest"]])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TaskDataError(
            f"{folder} is not a webfaq-domains data set: manifest.json cannot be read ({error!r})"
        ) from error
    return dict(manifest)


def _fetch(name: str) -> Path:
    repository, _, revision = name.partition("@")
    if repository.count("/") != 1 or not revision:
        raise TaskDataError(
            f"{name!r} is neither a folder nor org/name@revision; give a folder, or name the revision"
        )
    from huggingface_hub import HfApi, snapshot_download

    sha = HfApi().dataset_info(repository, revision=revision).sha
    patterns = ["manifest.json", "data/**"]
    return Path(
        snapshot_download(repository, repo_type="dataset", revision=sha, allow_patterns=patterns)
    )


@dataclass(frozen=True)
class PairIndex:
    """What chooses pairs, one row per pair of a split, in the order of the files.

    `language` and `domain` are numbers into `languages` and `domains`; `excluded` marks pairs whose
    text is in a held-out language.
    """

    ids: Ids
    language: npt.NDArray[np.int16]
    domain: npt.NDArray[np.int16]
    languages: tuple[str, ...]
    domains: tuple[str, ...]
    excluded: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def is_language(self, code: str) -> npt.NDArray[np.bool_]:
        """Return which pairs are labelled with a language."""
        number = self.languages.index(code) if code in self.languages else -1
        return np.asarray(self.language == number)

    def is_domain(self, slug: str) -> npt.NDArray[np.bool_]:
        """Return which pairs are of a domain.

        :raises TaskDataError: if no pair is; lists the domains there are.
        """
        if slug not in self.domains:
            raise TaskDataError(
                f"no pair is of the domain {slug!r}; the domains are {', '.join(sorted(self.domains))}"
            )
        return np.asarray(self.domain == self.domains.index(slug))


def parse_ids(column: pa.ChunkedArray | pa.Array) -> Ids:
    """Return ids of 32 hex digits as 16-byte numbers.

    :raises TaskDataError: if one is not 32 hex digits.
    """
    text = "".join(column.to_pylist())
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise TaskDataError(f"an id is not 32 hex digits ({error})") from error
    if len(raw) != 16 * len(column):
        raise TaskDataError("an id is not 32 hex digits; the folder was made by another tool")
    return np.frombuffer(raw, _HEX).astype(ID)


def id_order(ids: Ids) -> Rows:
    """Return the order that sorts ids as their 32 hex digits sort."""
    return np.lexsort((ids["low"], ids["high"]))


def format_ids(ids: Ids) -> list[str]:
    """Return ids as 32 hex digits each."""
    text = np.asarray(ids).astype(_HEX).tobytes().hex()
    return [text[start : start + 32] for start in range(0, len(text), 32)]


class _Names:
    """Numbers for names, given in the order in which they are met."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def encode(self, column: pa.ChunkedArray) -> npt.NDArray[np.int16]:
        coded = column.combine_chunks().dictionary_encode()
        known = [
            self.numbers.setdefault(n, len(self.numbers)) for n in coded.dictionary.to_pylist()
        ]
        places = coded.indices.to_numpy(zero_copy_only=False)
        return np.asarray(np.array(known, np.int16)[places])


def read_index(pairs: PairFolder, split: str, check: Any = None) -> PairIndex:
    """Read what chooses pairs of one split; `check` (`held_out.HeldOut`) marks held-out texts.

    :raises TaskDataError: if the split has no pair.
    """
    languages, domains = _Names(), _Names()
    ids, language, domain, excluded = [], [], [], []
    columns = ("id", "language", "domain", *(("question", "answer") if check else ()))
    for table in pairs.tables(split, columns):
        ids.append(parse_ids(table["id"]))
        language.append(languages.encode(table["language"]))
        domain.append(domains.encode(table["domain"]))
        excluded.append(check(table) if check else np.zeros(len(table), bool))
    if not ids:
        raise TaskDataError(f"{pairs.folder} has no pair in its split {split!r}")
    return PairIndex(
        np.concatenate(ids),
        np.concatenate(language),
        np.concatenate(domain),
        tuple(languages.numbers),
        tuple(domains.numbers),
        np.concatenate(excluded),
    )


def read_for_conditions(
    where: str | Path, held_out: frozenset[str], split: str = "train"
) -> tuple[PairFolder, PairIndex, HeldOut]:
    """Open pairs and read what conditions choose by, with held-out texts marked."""
    pairs = open_pairs(where)
    known = frozenset(path.split("/")[2] for path, _ in pairs.files if path.count("/") == 3)
    check = hold_out(held_out, known)
    index = read_index(pairs, split, check if check.languages else None)
    return pairs, index, check
