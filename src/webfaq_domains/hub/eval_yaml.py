"""`eval.yaml`: which leaderboards the Hub may keep for a retrieval repository.

The file lies at the root of the repository and is checked by the Hub when it is pushed. Its keys are
those of the Hub's benchmark format with `evaluation_framework: mteb`; any other is refused.
"""

from __future__ import annotations

import json
from typing import Any

from webfaq_domains.hub.manifest import Manifest

EVAL_YAML = "eval.yaml"

#: The mteb task of each task of ours: its name there must never change, results are filed under it.
TASK_NAMES = {
    "webfaq": "WebFAQDomainsRetrieval",
    "tatoeba": "TatoebaDomainsRetrieval",
    "lareqa": "LAReQADomainsRetrieval",
    "mewslix": "MewsliXDomainsRetrieval",
    "bucc": "BUCCDomainsRetrieval",
}

#: Each entry is a leaderboard of its own, so no more than these, those with most queries first.
MOST = 100


def eval_yaml(manifest: Manifest, most: int = MOST) -> str:
    """Return the text of `eval.yaml` for a retrieval repository.

    One entry per task for all its subsets, then the largest exclusive subsets of the `test` split
    over the full pool, at most `most` of them.
    """
    found: dict[str, Any] = manifest.extra["retrieval"]
    names = {task: TASK_NAMES[task] for task in found["tasks"]}
    metrics = ", ".join(
        f"{names[task]}: {about['metric']}" for task, about in found["tasks"].items()
    )
    about = (
        f"Retrieval by language and topical domain ({metrics}). An entry without config is the mean "
        "over all subsets."
    )
    lines = [
        f"name: {json.dumps(manifest.recipe['about']['pretty_name'], ensure_ascii=False)}",
        f"description: {json.dumps(about, ensure_ascii=False)}",
        "evaluation_framework: mteb",
        "tasks:",
        *(f"  - id: {name}" for name in names.values()),
    ]
    wanted = [
        subset
        for subset in found["subsets"]
        if (subset["membership"], subset["pool"], subset["split"]) == ("exclusive", "full", "test")
    ]
    wanted.sort(key=lambda subset: (-subset["queries"], subset["name"]))
    for subset in sorted(wanted[:most], key=lambda subset: str(subset["name"])):
        lines.append(f"  - id: {names[subset['task']]}_{subset['name']}_test")
        lines += [f"    config: {subset['name']}", "    split: test"]
    return "\n".join(lines) + "\n"
