"""mteb's result files: `results/<org>__<model>/<revision>/<Task>.json` and `model_meta.json`.

`mteb.ResultCache(OUT).load_results()` reads them, given the tasks of `retrieval_tasks` or no check.
Scores are 0..1. `map_at_k` is divided by all right answers, as mteb and trec_eval do. Nothing of mteb
is needed to write them.
"""

from __future__ import annotations

import re
from typing import Any

from webfaq_domains.ground.files import write_json
from webfaq_eval.export.base import (
    TASK_NAMES,
    Exported,
    Found,
    Request,
    language_tags,
    one_protocol,
)
from webfaq_eval.results import Result

_SAME = (
    "accuracy", "recall_at_1", "recall_at_5", "recall_at_10", "recall_at_20", "recall_at_100",
    "ndcg_at_10", "mrr_at_10", "f1", "precision", "recall",
)  # fmt: skip
#: mteb's name -> ours, where one name means two things.
_RENAMED = {"map_at_20": "trec_map_at_20", "map_at_100": "trec_map_at_100"}
_FUNCTIONS = {"cosine": "cosine", "dot": "dot"}


def write(request: Request, results: list[Found]) -> Exported:
    """Write a task file for each model and task, Tatoeba's reverse direction as a task of its own."""
    one_protocol(results)
    done = Exported()
    tasks: dict[tuple[str, str, str], list[Result]] = {}
    for _, result in results:
        key = (mteb_model_name(result).replace("/", "__"), result.model.revision, task_name(result))
        tasks.setdefault(key, []).append(result)
    for (model, revision, task), members in sorted(tasks.items()):
        folder = request.out / "results" / model / revision
        write_json(folder / f"{task}.json", task_result(task, members))
        meta = folder / "model_meta.json"
        write_json(meta, model_meta(members[0], request.training_datasets))
        done.files += [folder / f"{task}.json", *([] if meta in done.files else [meta])]
    return done


def task_name(result: Result) -> str:
    """Return the mteb task of a result; its hf_subset is the subset's own name."""
    reverse = "Reverse" if result.subset.direction == "reverse" else ""
    return TASK_NAMES[result.subset.task] + reverse


def task_result(task: str, results: list[Result]) -> dict[str, Any]:
    """Return the content of a task file: what `mteb.results.TaskResult.from_disk` reads."""
    scores: dict[str, list[dict[str, Any]]] = {}
    for result in sorted(results, key=lambda one: str(one.subset.name)):
        scores.setdefault(result.subset.split, []).append(_entry(result))
    return {
        "task_name": task,
        "dataset_revision": results[0].benchmark.revision,
        "mteb_version": None,
        "scores": scores,
        "evaluation_time": sum(sum(one.seconds.values()) for one in results),
        "kg_co2_emissions": None,
        "date": None,
        "evaluation_phases": None,
    }


def _entry(result: Result) -> dict[str, Any]:
    official = result.scores["official"]
    named = {name: official[name] for name in _SAME if name in official}
    named |= {name: official[ours] for name, ours in _RENAMED.items() if ours in official}
    return {
        **named,
        "main_score": result.main.value,
        "hf_subset": result.subset.name,
        "languages": language_tags(result.subset.language, result.subset.task),
    }


def mteb_model_name(result: Result) -> str:
    """Return `organisation/model`; a model of a local folder gets the organisation `local`."""
    parts = [part for part in re.split(r"[/\\]+", result.model.name) if part not in ("", ".", "..")]
    if len(parts) == 2 and not result.model.name.startswith(("/", ".")):
        return "/".join(parts)
    return f"local/{parts[-1] if parts else 'model'}"


def model_meta(result: Result, training: tuple[str, ...] | None) -> dict[str, Any]:
    """Return the content of `model_meta.json`; what is not known is null, as mteb wants it."""
    model, protocol = result.model, result.protocol
    dense = model.kind in ("sentence-transformers", "transformers", "random")
    unknown = (
        "release_date", "languages", "n_embedding_parameters", "memory_usage_mb", "license",
        "open_weights", "public_training_code", "public_training_data", "reference", "adapted_from",
        "superseded_by", "citation", "contacts", "loader", "n_active_parameters_override",
    )  # fmt: skip
    frameworks = {"sentence-transformers": ["Sentence Transformers"], "transformers": ["PyTorch"]}
    return {
        **dict.fromkeys(unknown),
        "name": mteb_model_name(result),
        "revision": model.revision,
        "n_parameters": model.parameters,
        "max_tokens": protocol.max_length,
        "embed_dim": model.dimensions,
        "framework": frameworks.get(model.kind, []),
        "similarity_fn_name": _FUNCTIONS.get(protocol.similarity, "custom") if dense else None,
        "use_instructions": bool(protocol.query_prefix or protocol.passage_prefix),
        "training_datasets": None if training is None else sorted(training),
        "modalities": ["text"],
        "model_type": ["dense"] if dense else ["sparse"],
        # Else mteb's cache looks in a folder of that experiment and finds nothing.
        "experiment_kwargs": None,
    }
