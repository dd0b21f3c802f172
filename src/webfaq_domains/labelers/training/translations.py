"""Translated texts of free software and open guides: one label teaches a text in every language.

A teacher is surest in English. What it says of an English text holds for its translations, and
projects that are translated by their users have thousands of such texts in dozens of languages.
A list (`[[source]]` tables in TOML) names repositories at a commit, with licence, subject and the
pattern of their files; the repositories are read from clones, without a network.
"""

from __future__ import annotations

import logging
import re
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.languages import to_iso3
from webfaq_domains.labelers.training.string_files import READERS, Strings, plain

_log = logging.getLogger(__name__)

_TAG = r"[A-Za-z]{2,3}(?:[-_@+][A-Za-z0-9]+)*"
_PARTS = re.compile(r"\{language\}|\*\*/|\*")

#: What a text must have to say what it is about, and where it is cut.
LEAST_WORDS = 5
LEAST_LETTERS = 20
CHARACTERS = 600


@dataclass(frozen=True)
class TextSource:
    """A repository at a commit: `files` is the pattern of its files, `{language}` their tag.

    `english` is the tag of the English files; where they lie elsewhere `english_files` is their
    pattern; with neither, gettext's originals are English.
    """

    repository: str
    commit: str
    licence: str
    domain: str
    format: str
    files: str
    english: str = ""
    english_files: str = ""


@dataclass(frozen=True)
class Translated:
    """One English text, its translations by language, and the source that it is of."""

    english: str
    others: dict[str, str]
    source: TextSource


def read_sources(path: Path) -> list[TextSource]:
    """Read a list of repositories.

    :raises LabelerError: if it is not TOML, a key is unknown or missing, or a format is not read.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))["source"]
        sources = [TextSource(**table) for table in tables]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelerError(f"{path} is no list of [[source]] tables: {error}") from error
    for source in sources:
        if source.format not in READERS:
            raise LabelerError(
                f"{path}: {source.repository} is {source.format}; known: {', '.join(READERS)}"
            )
    return sources


@dataclass(frozen=True)
class Clone:
    """A git repository on disk, read at one commit without a work tree."""

    folder: Path
    commit: str

    @classmethod
    def of(cls, source: TextSource, clones: Path) -> Clone:
        """Find a source's bare clone in a folder of clones: `CLONES/OWNER/NAME.git`.

        :raises LabelerError: if it is not there; says how to get it.
        """
        folder = clones / f"{source.repository}.git"
        if (folder / "HEAD").is_file():
            return cls(folder, source.commit)
        address = f"https://github.com/{source.repository}"
        raise LabelerError(f"{folder} is no clone; make it: git clone --bare {address} {folder}")

    def _git(self, *words: str, given: bytes = b"") -> bytes:
        call = ["git", f"--git-dir={self.folder}", *words]
        done = subprocess.run(call, input=given, capture_output=True, check=False)
        if done.returncode:
            told = done.stderr.decode(errors="replace").strip()
            raise LabelerError(f"{self.folder} cannot be read at {self.commit}: {told}")
        return done.stdout

    def paths(self) -> list[str]:
        listed = self._git("ls-tree", "-r", "-z", "--name-only", self.commit)
        return sorted(listed.decode(errors="replace").split("\0")[:-1])

    def texts(self, paths: Sequence[str]) -> Iterator[str]:
        """Return the files' texts in the order of `paths`; a file that is not there is empty."""
        asked = "".join(f"{self.commit}:{path}\n" for path in paths).encode()
        told, place = self._git("cat-file", "--batch", given=asked), 0
        for _ in paths:
            end = told.index(b"\n", place)
            header = told[place:end].split()
            if header[-1] == b"missing":
                yield ""
                place = end + 1
                continue
            size = int(header[-1])
            yield told[end + 1 : end + 1 + size].decode("utf-8", errors="replace")
            place = end + size + 2


def pattern(files: str) -> re.Pattern[str]:
    """Compile a pattern of paths: `{language}` is a group, `*` stays in a folder, `**/` does not."""
    out, place, named = "", 0, False
    for found in _PARTS.finditer(files):
        out += re.escape(files[place : found.start()])
        if found.group() == "{language}":
            out += "(?P=language)" if named else f"(?P<language>{_TAG})"
            named = True
        else:
            out += "((?:.*/)?)" if found.group() == "**/" else "([^/]*)"
        place = found.end()
    return re.compile(out + re.escape(files[place:]))


def _stars(found: re.Match[str]) -> tuple[str, ...]:
    """Return what the pattern's stars stand for: the same for a file in every language."""
    language = found.re.groupindex.get("language")
    return tuple(text for n, text in enumerate(found.groups(), 1) if n != language)


def _by_language(source: TextSource, paths: Sequence[str]) -> dict[tuple[str, ...], dict[str, str]]:
    """Return per place in the pattern the path of each language tag."""
    files: dict[tuple[str, ...], dict[str, str]] = {}
    for wanted in filter(None, (source.files, source.english_files)):
        matching = pattern(wanted)
        for path in paths:
            if found := matching.fullmatch(path):
                tag = found.groupdict().get("language") or source.english
                files.setdefault(_stars(found), {})[tag] = path
    return files


def _read(source: TextSource, tag: str, text: str, where: str) -> Strings:
    try:
        return READERS[source.format](text, tag) if text else {}
    except ValueError as error:
        _log.warning("%s: %s is left out: %s", source.repository, where, str(error)[:200])
        return {}


def _worth(text: str) -> bool:
    return len(text) >= LEAST_LETTERS and len(text.split()) >= LEAST_WORDS


def _language(tag: str) -> str | None:
    return to_iso3(tag.removeprefix("b+").replace("+", "-").replace("@", "-"))


def read_translated(source: TextSource, clones: Path) -> Iterator[Translated]:
    """Read a source's texts: English ones that are worth it (`_worth`), with their translations."""
    clone = Clone.of(source, clones)
    seen: set[str] = set()
    for files in _by_language(source, clone.paths()).values():
        tags = sorted(files)
        texts = dict(zip(tags, clone.texts([files[tag] for tag in tags]), strict=True))
        for english, others in _matched(source, texts, files):
            if english not in seen:
                seen.add(english)
                yield Translated(english, others, source)


def _matched(
    source: TextSource, texts: dict[str, str], files: dict[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Return each English text with its translations, of the files of one place."""
    strings = {tag: _read(source, tag, text, files[tag]) for tag, text in texts.items()}
    originals = strings.pop(source.english, {})
    if not originals and source.format == "gettext":
        originals = {text: text for found in strings.values() for text in found}
    for identity, original in originals.items():
        english = plain(original)[:CHARACTERS]
        if not _worth(english):
            continue
        others: dict[str, str] = {}
        for tag, found in strings.items():
            language, text = _language(tag), plain(found.get(identity, ""))[:CHARACTERS]
            if language and language != "eng" and text not in ("", english):
                others.setdefault(language, text)
        yield english, others


def read_all(sources: Sequence[TextSource], clones: Path) -> list[Translated]:
    """Read every source that has a clone; one that has none is named in a warning and left out.

    :raises LabelerError: if no source has a clone.
    """
    from tqdm import tqdm

    found: list[Translated] = []
    missing: list[str] = []
    for source in tqdm(sources, desc="translations", unit="source", disable=None):
        try:
            found += read_translated(source, clones)
        except LabelerError as error:
            _log.warning("left out: %s", error)
            missing.append(str(error))
    if len(missing) == len(sources):
        raise LabelerError(f"{clones} holds none of the {len(sources)} sources; {missing[0]}")
    return found
