"""The life of a build: options, work folder, resumption, and the result put in place at the end."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfaq_domains.dataset.stats import Stats, stats_of
from webfaq_domains.engine.local import LocalEngine
from webfaq_domains.engine.run import Run, Shards
from webfaq_domains.engine.work import Destination
from webfaq_domains.ground.errors import RecipeError, StagedError
from webfaq_domains.ground.files import sweep, write_text
from webfaq_domains.ground.languages import to_iso3
from webfaq_domains.ground.manifest import Manifest


@dataclass(frozen=True)
class BuildOptions:
    """What a user asks of a build. Up to `benchmarks` it is what is built, after it how.

    `labeler` is `builtin` or a folder; `languages` are ISO 639-3, empty for all; `limit` reads only
    the first rows; `benchmarks` are staged retrieval folders whose texts are kept out.
    """

    sources: tuple[str, ...]
    out: Path
    languages: tuple[str, ...] = ()
    labeler: str = "builtin"
    cascade: bool = False
    language_model: str | None = None
    recipe: Path | None = None
    limit: int | None = None
    taxonomy: Path | None = None
    removals: Path | None = None
    benchmarks: tuple[Path, ...] = ()
    workers: int = 1
    shard_rows: int = 20_000
    keep_dropped: bool = False
    quiet: bool = False

    @classmethod
    def of(cls, values: dict[str, Any], quiet: bool) -> BuildOptions:
        """Make options from command-line values; `languages` is a comma-separated list.

        :raises RecipeError: for a language that is not known.
        """
        languages, asked = [], values.pop("languages") or ""
        for tag in asked.split(",") if asked else ():
            code = to_iso3(tag)
            if code is None:
                raise RecipeError(f"--languages: {tag!r} is not a known ISO 639 code (deu, fra, …)")
            languages.append(code)
        sources = tuple(values.pop("sources"))
        return cls(sources=sources, languages=tuple(sorted(set(languages))), quiet=quiet, **values)


class Built:
    """The result of a build: the folder, its manifest, and whether it was there already."""

    def __init__(self, destination: Destination) -> None:
        self.out, self._destination = destination.out, destination
        self.already_there = False
        self.quarantine: Path | None = None
        self.dropped: Path | None = None
        self.unmet: list[str] = []

    @property
    def manifest(self) -> Manifest:
        return Manifest.read(self.out)

    def finish(self, staged: Path, shards: Shards, work: Path, unmet: Sequence[str] = ()) -> None:
        """Put the side files and, last, the staged folder in place; `unmet` met no row."""
        self.unmet += unmet
        if not self._destination.is_free():
            raise OSError(errno.EEXIST, "another build was faster", str(self.out))
        self._destination.clear_beside()
        if shards.rejected:
            self.quarantine = quarantine_of(self.out)
            rows = (dict(zip(_QUARANTINED, row, strict=True)) for row in shards.rejected)
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            write_text(work / self.quarantine.name, text)
            shutil.move(work / self.quarantine.name, self.quarantine)
        if (work / "dropped").exists():
            self.dropped = dropped_of(self.out)
            sweep(work / "dropped")
            shutil.move(work / "dropped", self.dropped)
        self._destination.put_in_place(staged)

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "already_there": self.already_there,
            "quarantine": str(self.quarantine) if self.quarantine else None,
            "dropped": str(self.dropped) if self.dropped else None,
            "unmet": self.unmet,
            **self.stats().to_json(),
        }

    def stats(self) -> Stats:
        return stats_of(self.manifest)

    def text(self) -> str:
        lines = [self.stats().text(), ""]
        if self.already_there:
            lines.append(f"{self.out} was already built by this recipe; nothing was done")
        if self.quarantine:
            lines.append(f"quarantined rows and reasons: {self.quarantine}")
        if self.dropped:
            lines.append(f"dropped rows by step and reason: {self.dropped}")
        lines += [f"removal request that no row matched: {request}" for request in self.unmet]
        for index in self.manifest.recipe.pairs.benchmarks:
            if index.withheld:
                names = ", ".join(index.withheld)
                lines.append(f"staged without texts, so not looked for: {names}")
        return "\n".join([*lines, f"staged: {self.out}"])


#: The keys of a line of `<out>.quarantine.jsonl`.
_QUARANTINED = ("source", "place", "reason", "row")


def quarantine_of(out: Path) -> Path:
    return out.parent / f"{out.name}.quarantine.jsonl"


def dropped_of(out: Path) -> Path:
    return out.parent / f"{out.name}.dropped"


def _is_quarantine(path: Path) -> bool:
    """Tell whether a build of ours wrote a file: its first line has the keys of a quarantined row."""
    try:
        with path.open(encoding="utf-8") as lines:
            row = json.loads(next(lines, "null"))
    except (OSError, ValueError):
        return False
    return isinstance(row, dict) and tuple(row) == _QUARANTINED


_DROPPED_FILE = re.compile(r"[A-Z][A-Za-z]+\.[^/]+/[0-9]{3}-[0-9]{5}-[0-9]{5}\.parquet")


def _is_dropped(path: Path) -> bool:
    """Tell whether a build of ours wrote a folder: all its files are `<step>.<reason>/<shard>.parquet`."""
    if not path.is_dir():
        return False
    names = [f.relative_to(path).as_posix() for f in path.rglob("*") if not f.is_dir()]
    return all(map(_DROPPED_FILE.fullmatch, names))


@contextmanager
def build_in(options: BuildOptions, recipe_hash: str) -> Iterator[tuple[Run | None, Built]]:
    """Open the work folder of this recipe and yield (run, result); run is None if `out` is done.

    A build that was killed goes on from its work folder, which is removed when the block ends well.

    :raises StagedError: if `out` or what stands beside it is something else, or `out` cannot be told
        from the input.
    """
    destination = check_place(options)
    work = destination.work(recipe_hash, options.shard_rows, options.keep_dropped)
    built = Built(destination)
    if destination.is_done(recipe_hash):
        # A build that was killed right after its last rename has left this.
        destination.forget(work)
        built.already_there = True
        yield None, built
        return
    with destination.open(work), LocalEngine(options.workers).open() as engine:
        dropped = work / "dropped" if options.keep_dropped else None
        yield Run(work, engine, options.shard_rows, options.limit, dropped, options.quiet), built


def check_place(options: BuildOptions) -> Destination:
    """Return where the result goes, once it is sure that it can go there.

    :raises StagedError: see `Destination.check`; and for an `out` in a source's folder, since a rerun
        would read it as input.
    """
    out = options.out
    destination = Destination(
        out, {quarantine_of(out): _is_quarantine, dropped_of(out): _is_dropped}
    )
    destination.check()
    for address in options.sources:
        folder = Path(address.removeprefix("nquads:").removeprefix("html:"))
        if folder.is_dir() and options.out.resolve().is_relative_to(folder.resolve()):
            raise StagedError(f"--out {options.out} lies in the source {folder}; choose another")
    return destination
