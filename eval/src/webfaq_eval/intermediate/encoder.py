"""The encoder that a run starts from, and the folder with its card that it ends as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from webfaq_domains.ground.files import write_json
from webfaq_eval.errors import ModelError
from webfaq_eval.models.encoder import Place
from webfaq_eval.training.encoder import load_model

HEADS, HEADS_CONFIG = "heads.safetensors", "heads.json"


def load_encoder(place: Place, device: str | None = None) -> tuple[Any, nn.Module, Any]:
    """Return the sentence-transformers model, the transformer in it, and its tokenizer.

    A plain transformer gets mean pooling, as XTREME's retrieval baselines have.

    :raises ModelError: if the folder cannot be loaded, or its tokenizer gives no places of tokens.
    """
    model: Any = load_model(place, device, normalize=False)
    if not getattr(model.tokenizer, "is_fast", False):
        raise ModelError(f"{place.name}: has no fast tokenizer (tokenizer.json); one is needed")
    return model, model[0].auto_model, model.tokenizer


def freeze_embeddings(body: Any) -> None:
    """Keep the word embeddings as they are: most of a multilingual encoder's weights."""
    body.get_input_embeddings().requires_grad_(False)


def save_encoder(
    folder: Path, model: Any, heads: Mapping[str, nn.Module], settings: Mapping[str, Any]
) -> None:
    """Write the encoder as a folder that transformers and sentence-transformers load; heads beside it.

    Heads are one safetensors file; a weight that a head shares with the encoder is not repeated.
    """
    from safetensors.torch import save_file

    model.save(str(folder), create_model_card=False)
    shared = {weight.data_ptr() for weight in model[0].auto_model.parameters()}
    save_file(_tensors(heads.items(), shared), folder / HEADS)
    write_json(folder / HEADS_CONFIG, dict(settings))


def _tensors(heads: Iterable[tuple[str, nn.Module]], shared: set[int]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    seen = set(shared)
    for name, head in heads:
        for key, value in head.state_dict().items():
            if value.data_ptr() not in seen:
                seen.add(value.data_ptr())
                found[f"{name}.{key}"] = value.detach().cpu().contiguous()
    return found


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
    yield "number format of the weights that train", record["weights"]
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
