"""The card beside a trained model: what it was trained on and how, from its record alone."""

from __future__ import annotations

import json
from typing import Any

_ABOUT = """\
# {title}

A retriever for questions and answers: an encoder trained on the FAQ pairs of one *condition* of WebFAQ
by domain. The list of its training pairs is `pairs.parquet`, its whole record `training.json`.

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("<this repository or folder>")
questions = model.encode_query(["How do I reset my password?"])
answers = model.encode_document(["Open the settings and choose a new one."])
print(questions @ answers.T)
```
"""


def render_card(record: dict[str, Any], figure: str | None) -> str:
    """Return the README of a trained model: front matter, facts as tables, and the curve."""
    condition = record["condition"]
    parts = [
        _front_matter(record),
        _ABOUT.format(title=f"Retriever: {condition['condition']}"),
        "## Training pairs\n",
        _table(_data_facts(record)),
        "## Training\n",
        _table(_training_facts(record)),
        "## Validation\n",
        _validation(record),
    ]
    if figure:
        parts.append(f"![Learning curve]({figure})\n")
    parts.append("## Versions\n")
    parts.append(_table(list(record["versions"].items())))
    return "\n".join(parts)


def _front_matter(record: dict[str, Any]) -> str:
    from huggingface_hub import ModelCardData

    base = record["encoder"]["name"]
    data = ModelCardData(
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        base_model=base if "/" in base else None,
        language=sorted(record["condition"]["languages"]) or None,
        tags=["sentence-transformers", "retrieval", "webfaq"],
        training_datasets=record["training_datasets"],
    )
    return f"---\n{data.to_yaml()}\n---\n"


def _data_facts(record: dict[str, Any]) -> list[tuple[str, Any]]:
    condition = record["condition"]
    languages = sorted(condition["languages"].items(), key=lambda item: -item[1])
    return [
        ("training datasets", ", ".join(record["training_datasets"]) or "none"),
        ("data", f"{record['data']['name']}, digest `{record['data']['digest']}`"),
        ("condition", condition["condition"]),
        ("pairs", f"{condition['pairs']:,}"),
        ("sha256 of the list of pairs", f"`{condition['sha256']}`"),
        ("pairs per language at most", condition["pairs_per_language"] or "all"),
        ("languages", ", ".join(f"{code} {count:,}" for code, count in languages) or "none"),
        (
            "domains",
            ", ".join(f"{name} {n:,}" for name, n in condition["domains"].items()) or "none",
        ),
        ("held-out languages", ", ".join(condition["held_out"]) or "none"),
        ("held out checked by", condition["held_out_checked"] or "nothing to check"),
        ("sha256 of the batches, in order", f"`{record.get('batches_sha256')}`"),
    ]


def _training_facts(record: dict[str, Any]) -> list[tuple[str, Any]]:
    encoder, settings = record["encoder"], record["settings"]
    plain = {**settings["loss"], **settings["schedule"]}
    return [
        ("encoder", f"{encoder['name']}, revision `{encoder['revision']}`"),
        ("prefixes", f"query `{encoder['query_prefix']}`, passage `{encoder['passage_prefix']}`"),
        ("what is trained", settings["encoder"]["mode"]),
        ("longest text, tokens", settings["encoder"]["max_length"]),
        ("seed", settings["seed"]),
        ("steps", record["steps"]),
        ("pairs a step", settings["batch_size"]),
        ("monolingual batches", settings["monolingual"]),
        *((name.replace("_", " "), value) for name, value in plain.items() if name != "steps"),
        ("hard negatives", json.dumps(record.get("negatives"))),
        ("processes, device", f"{record['processes']}, {record['device']}"),
        ("seconds", record["seconds"]),
    ]


def _validation(record: dict[str, Any]) -> str:
    if not record["after"]:
        return "There was no validation: the validation split has no question that may be asked.\n"
    lines = [
        f"nDCG@10 on web sites that training did not see; best at step {record['best_step']}.",
        "",
    ]
    lines += ["| questions | before | after |", "|---|---|---|"]
    for name, value in record["after"].items():
        lines.append(
            f"| {name.partition('/')[2] or 'all'} | {record['before'][name]:.4f} | {value:.4f} |"
        )
    return "\n".join(lines) + "\n"


def _table(facts: list[tuple[str, Any]]) -> str:
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts)
    return f"| | |\n|---|---|\n{rows}"
