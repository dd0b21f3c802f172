"""The model card of an intermediate run: every number comes from its record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_LISTED = 20  # files of a task; CCGbank has thousands

_HEAD = """---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
base_model: {name}
tags:
- intermediate-training
- {task}
---

# {name} after {task}

An encoder after intermediate-task training (Phang et al. 2020): {steps:,} steps of {task}, language `{language}`.
It is a start for retriever training, not a retriever. transformers (`AutoModel`) and sentence-transformers load this
folder; `heads.safetensors` and `heads.json` hold the task heads.
"""


def render_card(record: Mapping[str, Any]) -> str:
    """Return the text of README.md for a run's record."""
    settings, encoder = record["settings"], record["encoder"]
    parts = [
        _HEAD.format(
            name=encoder["name"], task=settings["task"], steps=record["steps"],
            language=settings["language"],
        ),
        "## Dev metrics\n\n" + _table(("task", "train", "dev", "metric", "dev value", "baselines"), _results(record)),
        "## Data\n\n" + _table(("task", "file", "sha256"), _files(record)) + _notes(record),
        "## How it was trained\n\n" + _table(("setting", "value"), _settings(record)),
    ]  # fmt: skip
    return "\n".join(parts)


def _results(record: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for task, result in record["results"].items():
        data = record["data"][task]
        values = ", ".join(f"{name} {value:.4f}" for name, value in result["dev"].items())
        baselines = ", ".join(f"{name} {value:.4f}" for name, value in result["baseline"].items())
        yield task, f"{data['train']:,}", f"{data['dev']:,}", result["metric"], values, baselines


def _files(record: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for task, data in record["data"].items():
        files = list(data["files"].items())
        for path, sha in files[:_LISTED]:
            yield task, f"`{_plain(path)}`", f"`{sha}`"
        if len(files) > _LISTED:
            yield task, f"{len(files) - _LISTED:,} more files", "in `intermediate.json`"
        yield task, "all rows that are used", f"`{data['sha256']}`"


def _notes(record: Mapping[str, Any]) -> str:
    lines = []
    for task, data in record["data"].items():
        skipped = ", ".join(f"{count:,} {reason}" for reason, count in data["skipped"].items())
        lines.append(f"* {task}: rows left out: {skipped or 'none'}.")
        lines += [f"* {task}: {_plain(note)}." for note in data["notes"]]
    return "\n" + "\n".join(lines) + "\n"


def _settings(record: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    yield "encoder", f"{record['encoder']['name']} @ `{record['encoder']['sha']}`"
    yield "run", f"`{record['run']}`"
    for name, value in record["settings"].items():
        yield name, str(value)
    yield "batches by task", ", ".join(f"{task} {n:,}" for task, n in record["batches"].items())
    yield "device", record["device"]
    yield "seconds since the last start", str(record["seconds"])
    for name, value in record["versions"].items():
        yield name, value


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Keep a file's name from being read as Markdown or a table's edge."""
    return text.replace("`", "'").replace("|", "/").replace("\n", " ")
