"""The life of a build: options, work folder, resumption, and the result put in place at the end."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfaq_domains.dataset.stage import code_version
from webfaq_domains.dataset.stats import Stats, stats_of
from webfaq_domains.engine.local import LocalEngine
from webfaq_domains.engine.run import Run, Shards, locked
from webfaq_domains.ground.errors import BuildError, RecipeError, StagedError
from webfaq_domains.ground.files import sweep, value_sha256, write_text
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

    def __init__(self, out: Path, work: Path) -> None:
        self.out, self._work = out, work
        self.already_there = False
        self.quarantine: Path | None = None
        self.dropped: Path | None = None
        self.unmet: list[str] = []

    @property
    def manifest(self) -> Manifest:
        return Manifest.read(self.out)

    def finish(self, staged: Path, shards: Shards) -> None:
        """Put the side files and, last, the staged folder in place."""
        if self.out.exists():
            # Fails where another build has been faster, before anything of it is replaced.
            self.out.rmdir()
        if shards.rejected:
            self.quarantine = self.out.with_name(f"{self.out.name}.quarantine.jsonl")
            keys = ("source", "place", "reason", "row")
            rows = (dict(zip(keys, row, strict=True)) for row in shards.rejected)
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            write_text(self._work / self.quarantine.name, text)
            os.replace(self._work / self.quarantine.name, self.quarantine)
        if (self._work / "dropped").exists():
            self.dropped = self.out.with_name(f"{self.out.name}.dropped")
            shutil.rmtree(self.dropped, ignore_errors=True)
            sweep(self._work / "dropped")
            os.replace(self._work / "dropped", self.dropped)
        sweep(staged)
        os.replace(staged, self.out)

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
        for index in self.manifest.recipe.get("benchmarks", ()):
            if index["withheld"]:
                names = ", ".join(index["withheld"])
                lines.append(f"staged without texts, so not looked for: {names}")
        return "\n".join([*lines, f"staged: {self.out}"])


@contextmanager
def build_in(options: BuildOptions, recipe: dict[str, Any]) -> Iterator[tuple[Run | None, Built]]:
    """Open the work folder of this recipe and yield (run, result); run is None if `out` is done.

    A build that was killed goes on from its work folder (`<out>.work/<recipe>`), which is removed
    when the block ends well.

    :raises StagedError: if `out` holds something else, or cannot be told from the input.
    """
    _check_place(options)
    how = [options.shard_rows, options.keep_dropped]
    identity = value_sha256([recipe, code_version(), *how])[:16]
    work = options.out.with_name(f"{options.out.name}.work") / identity
    built = Built(options.out, work)
    if is_done(options.out, recipe):
        # A build that was killed right after its last rename has left this.
        _remove(work)
        built.already_there = True
        yield None, built
        return
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with locked(work), LocalEngine(options.workers).open() as engine:
            yield _run(options, work, engine), built
    except KeyboardInterrupt as error:
        raise BuildError("interrupted; run the same command again to go on") from error
    except OSError as error:
        raise BuildError(
            f"{error.strerror or error} ({error.filename or work}); what is finished is kept: free "
            "space or mend it and run the same command again"
        ) from error
    _remove(work)


def _check_place(options: BuildOptions) -> None:
    """Refuse an `out` without a name, and one in a source's folder: a rerun would read it as input."""
    if options.out.name in ("", ".."):
        raise StagedError(f"--out {options.out}: name a folder to be made, such as ./my-faq")
    for address in options.sources:
        folder = Path(address.removeprefix("nquads:").removeprefix("html:"))
        if folder.is_dir() and options.out.resolve().is_relative_to(folder.resolve()):
            raise StagedError(f"--out {options.out} lies in the source {folder}; choose another")


def _remove(work: Path) -> None:
    """Remove a work folder, and the folder of work folders if it was the last one."""
    shutil.rmtree(work, ignore_errors=True)
    with suppress(OSError):
        work.parent.rmdir()


def _run(options: BuildOptions, work: Path, engine: LocalEngine) -> Run:
    dropped = work / "dropped" if options.keep_dropped else None
    return Run(work, engine, options.shard_rows, options.limit, dropped, options.quiet)


def is_done(out: Path, recipe: dict[str, Any]) -> bool:
    """Tell whether `out` was made by this very recipe; False if it is free.

    :raises StagedError: if `out` holds something else, which is never overwritten.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        manifest = Manifest.read(out)
    except StagedError as error:
        raise StagedError(
            f"{out} exists and is not a staged data set; choose another --out"
        ) from error
    if manifest.recipe_hash != value_sha256(recipe) or manifest.code_version != code_version():
        raise StagedError(
            f"{out} holds a data set of another recipe, input or code version; choose another --out "
            "or remove it"
        )
    return True
