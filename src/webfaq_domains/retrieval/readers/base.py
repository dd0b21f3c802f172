"""The one format that every benchmark is brought to, whatever its release looks like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from webfaq_domains.ground.errors import RecipeError, SourceError
from webfaq_domains.ground.languages import to_iso3

#: A row of each kind of table; all columns are strings.
CANDIDATE = ("id", "title", "text", "language", "item")
QUERY = ("id", "text", "language", "item")
RIGHT = ("query-id", "corpus-id")
ITEM = ("item", "text")
SIDE = ("item", "language", "text")


@dataclass(frozen=True)
class About:
    """What card and manifest say of a benchmark; `redistributable` decides whether texts go out."""

    task: str
    title: str
    metric: str
    licence: str
    redistributable: bool
    homepage: str
    citation: str


@dataclass(frozen=True)
class Reading:
    """What is wanted of a release: languages (empty: the reader's default) and how strict to be.

    `partial` accepts files that are not the whole official release; they are still refused where
    they contradict themselves.
    """

    languages: tuple[str, ...] = ()
    all_languages: bool = False
    partial: bool = False

    @classmethod
    def of(cls, languages: str, partial: bool) -> Reading:
        """Make it from a comma-separated list of codes, `all`, or nothing.

        :raises RecipeError: for a language that is not known.
        """
        codes = set()
        for tag in languages.split(",") if languages not in ("", "all") else ():
            code = to_iso3(tag)
            if code is None:
                raise RecipeError(f"--languages: {tag!r} is not a known ISO 639 code (deu, fra, …)")
            codes.add(code)
        return cls(tuple(sorted(codes)), languages == "all", partial)


@dataclass(frozen=True)
class Pool:
    """Candidates (`CANDIDATE`) that are searched together; `name` is a language or `all`."""

    name: str
    split: str
    candidates: pa.Table


@dataclass(frozen=True)
class Part:
    """The queries of one language and split, the pool they are searched in, and the right pairs.

    `language` names the subset: ISO 639-3, or `deu_x_eng` for questions in one language and answers
    in another. `unpaired` (`QUERY`) is what mining reads and retrieval does not.
    """

    language: str
    split: str
    pool: str
    queries: pa.Table
    right: pa.Table
    unpaired: pa.Table | None = None


@dataclass(frozen=True)
class Task:
    """A benchmark: its pools and parts, and the texts that its labels are decided on.

    `items` (`ITEM`) has the deciding text of every item that a query or candidate names; `sides`
    (`SIDE`) what says the same in other languages, for measuring how stable the labels are.
    `files` pins the release: path -> sha256. `addresses` are the pages and sites of its texts.
    """

    about: About
    pools: Sequence[Pool]
    parts: Sequence[Part]
    items: pa.Table
    sides: pa.Table
    files: Mapping[str, str]
    addresses: Sequence[str] = ()

    @property
    def texts(self) -> int:
        """How many candidates, queries and unpaired texts were read."""
        return sum(len(pool.candidates) for pool in self.pools) + sum(
            len(part.queries) + (len(part.unpaired) if part.unpaired is not None else 0)
            for part in self.parts
        )


def strings(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> pa.Table:
    """Return a table of string columns from rows."""
    listed = list(rows)
    values = zip(*listed, strict=True) if listed else ([] for _ in columns)
    arrays = [pa.array(list(column), pa.string()) for column in values]
    return pa.table(dict(zip(columns, arrays, strict=True)))


def joined_text(*parts: str) -> str:
    """Return texts as a labeler reads them: on one line, a space between.

    Labelers read `question answer`; a single sentence stands for both, as it is.
    """
    return " ".join(part.replace("\n", " ") for part in parts if part)


def iso3(tag: str, where: str) -> str:
    """Return the project's code for a benchmark's own language code.

    :raises SourceError: naming where it was met, if no language has that code.
    """
    code = to_iso3(tag)
    if code is None:
        raise SourceError(f"{where}: {tag!r} is not a language code that languages.tsv knows")
    return code


def expect(met: int, expected: int | None, what: str, partial: bool) -> None:
    """Hold a count against that of the official release.

    :raises SourceError: if they differ and the user did not say that the release is a part.
    """
    if expected is not None and met != expected and not partial:
        raise SourceError(
            f"{what}: {met:,} met, the official release has {expected:,}; fetch it again, or pass "
            "--partial if this is knowingly a part or another release"
        )


def wanted(reading: Reading, there: Iterable[str], default: Iterable[str], who: str) -> list[str]:
    """Return the languages to read, sorted.

    :raises RecipeError: if one was asked for by name that no benchmark language is.
    :raises SourceError: if a default language is not in the release.
    """
    found = set(there)
    if reading.all_languages:
        return sorted(found)
    if reading.languages:
        if not found.intersection(reading.languages):
            raise RecipeError(
                f"--languages {','.join(reading.languages)}: {who} has none of them; "
                f"it has {', '.join(sorted(found))}"
            )
        return sorted(found.intersection(reading.languages))
    missing = sorted(set(default) - found)
    if (missing and not reading.partial) or not found:
        raise SourceError(
            f"{who}: no files for {', '.join(missing) or 'any language'}; fetch the whole release, "
            "name the languages with --languages, or pass --partial"
        )
    return sorted(found.intersection(default))


def folder_of(path: Path, needs: str) -> Path:
    """Return a release's folder.

    :raises SourceError: if there is none, saying what it should hold.
    """
    if not path.is_dir():
        raise SourceError(f"{path} is not a folder; expected the release with {needs}")
    return path
