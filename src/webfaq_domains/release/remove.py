"""Answer a removal request: a staged folder without some rows, and all else as it was."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace
from tqdm import tqdm

from webfaq_domains.dataset.card import render_card
from webfaq_domains.dataset.layout import configs_of, plan_configs, published_schema, write_parquet
from webfaq_domains.engine.tasks import finished, marker
from webfaq_domains.engine.work import locked
from webfaq_domains.ground.errors import BuildError, RecipeError, StagedError
from webfaq_domains.ground.files import (
    file_sha256,
    replacing,
    sweep,
    value_sha256,
    write_json,
    write_text,
)
from webfaq_domains.ground.ledger import LedgerRecord
from webfaq_domains.ground.manifest import MANIFEST, TAXONOMY, Configs, FileEntry, Manifest, Writer
from webfaq_domains.ground.records import to_json
from webfaq_domains.ground.schema import rows_digest, without
from webfaq_domains.ground.taxonomy import read_taxonomy
from webfaq_domains.release.data import PAIRS_ARTIFACT
from webfaq_domains.steps.remove import RemoveOnRequest, Requests

_STEP = RemoveOnRequest.__name__


@dataclass
class Removed:
    """The result: the new folder, rows that went by kind of request, requests that met no row."""

    out: Path
    removals: Path
    rows: int = 0
    files: int = 0
    written: int = 0
    gone: Counter[str] = field(default_factory=Counter)
    unmet: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        values = {**vars(self), "out": str(self.out), "removals": str(self.removals)}
        return {**values, "gone": dict(self.gone)}

    def text(self) -> str:
        kinds = ", ".join(f"{reason} {rows:,}" for reason, rows in sorted(self.gone.items()))
        lines = [
            f"removed {self.gone.total():,} rows ({kinds}); {self.rows:,} stay",
            f"{self.written} of {self.files} files changed, the others are as they were",
            *(f"no row matched: {line}" for line in self.unmet),
            f"requests, for `build webfaq --removals`: {self.removals}",
            f"staged: {self.out} (earlier versions on the Hub still hold the rows)",
        ]
        return "\n".join(lines)


def remove_rows(
    folder: Path, out: Path, asked: Requests, removals: Path | None = None, quiet: bool = False
) -> Removed:
    """Make `out` from a staged folder without the rows that requests name.

    `removals` is the list of requests [default: `<out>.removals.txt`]: read if it is there, written
    with the new ones. Files without such a row stay byte for byte. Killed, the same command goes on.

    :raises StagedError: if no row matches, the folder is damaged, or `out` is not free.
    :raises RecipeError: if nothing is asked, or the list cannot be read.
    :raises BuildError: if the disk is full, or another process makes the same.
    """
    removals = removals or out.parent / f"{out.name}.removals.txt"
    manifest = _readable(folder, out, removals)
    requests = asked | Requests.read(removals) if removals.exists() else asked
    if not len(requests):
        raise RecipeError("nothing to remove: name it with --origin, --url or --id, or --removals")
    identity = value_sha256([file_sha256(folder / MANIFEST), requests.lines()])[:16]
    work = out.with_name(f"{out.name}.work") / identity
    result = Removed(out, removals)
    try:
        with locked(work):
            _remove(manifest, folder, work, requests, result, quiet)
        shutil.rmtree(work)
        if not any(work.parent.iterdir()):
            work.parent.rmdir()
    except OSError as error:
        raise BuildError(
            f"{error.strerror or error} ({error.filename or work}); what is finished is kept: free "
            "space or mend it and run the same command again"
        ) from error
    if not result.gone:
        raise StagedError(f"{folder}: no row matches {'; '.join(result.unmet)}; nothing was made")
    return result


def _remove(
    manifest: Manifest, folder: Path, work: Path, requests: Requests, result: Removed, quiet: bool
) -> None:
    """Write the new folder and the list; put both in place where some row went."""
    reports = list(_reports(manifest, folder, work, requests, quiet))
    met = Requests()
    for report in reports:
        met |= Requests.of(*report["met"])
        result.gone.update(report["gone"])
    result.unmet = (requests - met).lines()
    if not result.gone:
        return
    requests = requests.salted()
    smaller = _smaller(manifest, requests, reports)
    result.rows, result.files = smaller.rows, len(manifest.files)
    result.written = sum(bool(report["gone"]) for report in reports)
    write_text(result.removals, requests.text())
    _stage(smaller, folder, work / "staged")
    _put_in_place(work / "staged", result.out)


def _readable(folder: Path, out: Path, removals: Path) -> Manifest:
    """Return the manifest, once it is sure that rows can be removed and where the result may go."""
    manifest = Manifest.read(folder)
    if manifest.artifact != PAIRS_ARTIFACT:
        raise StagedError(
            f"{folder} holds {manifest.artifact}: rows are removed from {PAIRS_ARTIFACT}, and what is made "
            "from it is built again"
        )
    if out.name in ("", "..") or out.resolve().is_relative_to(folder.resolve()):
        raise StagedError(f"--out {out}: name a folder beside {folder}")
    if any(removals.resolve().is_relative_to(place.resolve()) for place in (folder, out)):
        raise StagedError(
            f"--removals {removals}: the list is not published; name a file beside {out}"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StagedError(f"--out {out} exists; choose another or remove it")
    return manifest


def _reports(
    manifest: Manifest, folder: Path, work: Path, requests: Requests, quiet: bool
) -> Iterator[dict[str, Any]]:
    with tqdm(
        desc="remove", total=manifest.rows, unit=" rows", unit_scale=True, disable=quiet
    ) as bar:
        for file in manifest.files:
            done = marker(work / "done" / file.path)
            report = finished(done)
            if report is None:
                report = _copy_without(file, folder, work / "staged", requests)
                write_json(done, report)
            yield report
            bar.update(file.rows)


def _copy_without(file: FileEntry, folder: Path, root: Path, requests: Requests) -> dict[str, Any]:
    """Copy one data file, or write it anew without the rows that are asked to go; say what went."""
    source, target = folder / file.path, root / file.path
    if not source.is_file() or file_sha256(source) != file.sha256:
        raise StagedError(
            f"{source} is not the file that the manifest lists; `webfaq-domains check {folder}` "
            "lists every problem"
        )
    met = requests.met_in(pq.read_table(source, columns=["id", "origin", "url"]))
    report = {"file": to_json(file), "gone": {}, "digest": 0, "met": [
        sorted(values) for values in (met.origins, met.urls, met.ids)
    ]}  # fmt: skip
    if not len(met):
        with replacing(target) as temporary:
            shutil.copyfile(source, temporary)
        return report
    outcome = RemoveOnRequest(requests)(pq.read_table(source))
    report["gone"] = {reason: len(rows) for reason, rows in outcome.dropped.items()}
    report["digest"] = rows_digest(pa.concat_tables(outcome.dropped.values()))
    report["file"] = {}
    if len(outcome.kept):
        write_parquet(target, outcome.kept.select(published_schema().names), published_schema())
        size = target.stat().st_size
        report["file"] = to_json(FileEntry(file.path, len(outcome.kept), size, file_sha256(target)))
    return report


def _smaller(manifest: Manifest, requests: Requests, reports: list[dict[str, Any]]) -> Manifest:
    """Return the manifest of the smaller data set."""
    files = [FileEntry(**report["file"]) for report in reports if report["file"]]
    if not files:
        raise StagedError("no row would be left; delete the data set instead")
    steps = list(dict.fromkeys([*manifest.recipe.steps, _STEP]))
    recipe = manifest.recipe.with_values(removals=requests.sha256, steps=steps)
    rules = recipe.pairs.configs
    names = tuple(c.name for c in plan_configs(files, rules.min_rows, rules.most))
    return replace(
        manifest,
        version=None,
        files=tuple(files),
        recipe=recipe,
        recipe_hash=recipe.sha256(manifest.sources),
        content_digest=without(manifest.content_digest, [report["digest"] for report in reports]),
        ledger=_ledger(manifest, reports),
        configs=Configs(names, rules.min_rows, rules.most),
        writer=Writer(pa.__version__),
    )


def _stage(smaller: Manifest, folder: Path, root: Path) -> None:
    """Write taxonomy, manifest and card beside the data files."""
    text = (folder / TAXONOMY).read_text("utf-8")
    card = render_card(smaller, configs_of(smaller), read_taxonomy(text, TAXONOMY))
    write_text(root / TAXONOMY, text)
    smaller.write(root)
    write_text(root / "README.md", card)


def _ledger(manifest: Manifest, reports: list[dict[str, Any]]) -> LedgerRecord:
    """Return the ledger with what went, by the kind of request: rows in = rows out + dropped."""
    ledger = manifest.ledger
    gone: Counter[str] = Counter(ledger.dropped.get(_STEP, {}))
    for report in reports:
        gone.update(report["gone"])
    rows = sum(report["file"].get("rows", 0) for report in reports)
    dropped = {**ledger.dropped, _STEP: dict(sorted(gone.items()))}
    return replace(ledger, rows_out=rows, dropped=dropped)


def _put_in_place(staged: Path, out: Path) -> None:
    if out.exists():
        out.rmdir()
    sweep(staged)
    os.replace(staged, out)
