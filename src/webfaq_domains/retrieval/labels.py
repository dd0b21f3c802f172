"""One label per item, decided on one side and carried to all; and how stable that is.

An item that somebody judged has its label from a file (`retrieval.judged`), and no model is run for it.
A labeler decides the others.

The deciding side is English where an item has one (see each reader). The rule is the one of the FAQ
data (`Labeler.assign`): `domain` is the most probable domain that reaches its threshold, else
the fallback; `membership` is every one that does, sorted and joined by `+`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from webfaq_domains.ground.agreement import cohen_kappa
from webfaq_domains.ground.subsets import Agreement
from webfaq_domains.labelers.base import Labeler, Probabilities
from webfaq_domains.retrieval.judged import JudgedLabel, JudgedLabels
from webfaq_domains.retrieval.readers.base import Task

_AT_ONCE = 20_000

#: What `label_items` returns: one row per item.
LABELS = pa.schema(
    [
        pa.field("item", pa.string()),
        pa.field("domain", pa.string()),
        pa.field("domain_score", pa.float32()),
        pa.field("membership", pa.string()),
    ]
)


def membership(domains: Sequence[str]) -> str:
    """Return domains as one string that a filter can ask for.

    >>> membership(["legal", "finance"])
    'finance+legal'
    """
    return "+".join(sorted(domains))


@dataclass(frozen=True)
class Labelling:
    """A labeler and the domain of what it claims nothing of."""

    labeler: Labeler
    fallback: str
    quiet: bool = False

    def probabilities(self, texts: pa.ChunkedArray, what: str) -> Probabilities:
        """Return probabilities of texts, shape (len(texts), domains), with progress on stderr."""
        found = [np.zeros((0, len(self.labeler.domains)), np.float32)]
        with tqdm(
            desc=f"{what:<36}", total=len(texts), unit=" texts", unit_scale=True, disable=self.quiet
        ) as bar:
            for start in range(0, len(texts), _AT_ONCE):
                some = texts.slice(start, _AT_ONCE).to_pylist()
                found.append(self.labeler.probabilities(some))
                bar.update(len(some))
        return np.concatenate(found)

    def table(self, items: pa.ChunkedArray, found: Probabilities) -> pa.Table:
        """Return `LABELS` rows. Scores are rounded to two places: more would be noise."""
        decided = self.labeler.assign(found)
        columns = [
            items,
            pa.array(decided.domain, pa.string()),
            pa.array(np.round(decided.score, 2), pa.float32()),
            pa.array(map(membership, decided.domains), pa.string()),
        ]
        return pa.table(columns, schema=LABELS)


def unjudged(task: Task, judged: JudgedLabels | None) -> pa.Table:
    """Return the items of a task (`ITEM`) that no label file decides."""
    return task.items.filter(
        pa.array([label is None for label in _found(task, judged)], pa.bool_())
    )


def label_task(
    task: Task, judged: JudgedLabels | None, fallback: str, labelling: Callable[[], Labelling]
) -> tuple[pa.Table, list[Agreement]]:
    """Label every item of a task; `labelling` is asked for only where an item was not judged.

    The score of a judged label is null. Agreements are those of the labeler, over what it decided.
    """
    rest = unjudged(task, judged)
    pairs = zip(task.items["item"].to_pylist(), _found(task, judged), strict=True)
    rows = [_judged_row(item, label, fallback) for item, label in pairs if label is not None]
    decided = pa.Table.from_pylist(rows, LABELS)
    if not len(rest):
        return decided, []
    sides = task.sides.filter(pc.is_in(task.sides["item"], rest["item"].combine_chunks()))
    labels, agreements = label_items(rest, sides, labelling(), task.about.title)
    return pa.concat_tables([decided, labels]), agreements


def _found(task: Task, judged: JudgedLabels | None) -> list[JudgedLabel | None]:
    if judged is None:
        return [None] * len(task.items)
    items = zip(task.items["item"].to_pylist(), task.items["text"].to_pylist(), strict=True)
    return [judged.of(item, text) for item, text in items]


def _judged_row(item: str, label: JudgedLabel, fallback: str) -> dict[str, str | None]:
    """Return a `LABELS` row. The fallback says nothing beside a domain that fits as well."""
    named = [slug for slug in label.domains if slug != fallback] or [fallback]
    held = named if label.domain != fallback else [fallback]
    return {
        "item": item,
        "domain": label.domain,
        "domain_score": None,
        "membership": membership(held),
    }


def label_items(
    items: pa.Table, sides: pa.Table, labelling: Labelling, what: str
) -> tuple[pa.Table, list[Agreement]]:
    """Label every item of (`item`, `text`); compare with every language of (`item`, `language`, `text`).

    The last agreement is that of `pooled`: the mean probability over all sides of an item.
    """
    decided = labelling.probabilities(items["text"], f"label {what}")
    labels = labelling.table(items["item"], decided)
    others = labelling.probabilities(sides["text"], f"label the other sides of {what}")
    place = pc.index_in(sides["item"], items["item"].combine_chunks()).to_numpy()
    return labels, list(_agreements((decided, others), place, sides["language"], labelling))


def _agreements(
    found: tuple[Probabilities, Probabilities], place: Any, languages: Any, labelling: Labelling
) -> Iterator[Agreement]:
    decided, others = found
    if not len(others):
        return
    spoken = np.asarray(languages.to_pylist())
    ours = np.asarray(_domains(decided, labelling))
    theirs = np.asarray(_domains(others, labelling))
    for language in sorted(set(spoken.tolist())):
        rows = spoken == language
        yield compare(
            language, ours[place[rows]].tolist(), theirs[rows].tolist(), labelling.fallback
        )
    total, count = decided.copy(), np.ones(len(decided), np.float32)
    np.add.at(total, place, others)
    np.add.at(count, place, 1)
    several = count > 1
    pooled = np.asarray(_domains((total / count[:, None])[several], labelling))
    yield compare("pooled", ours[several].tolist(), pooled.tolist(), labelling.fallback)


def _domains(found: Probabilities, labelling: Labelling) -> list[str]:
    return labelling.labeler.assign(found).domain


def compare(side: str, ours: Sequence[str], theirs: Sequence[str], fallback: str) -> Agreement:
    """Compare two labels of each item.

    >>> compare("deu", ["health", "other"], ["health", "other"], "other")
    Agreement(side='deu', items=2, share=1.0, claimed=1.0, kappa=1.0)
    """
    same = sum(a == b for a, b in zip(ours, theirs, strict=True))
    claimed = [a == b for a, b in zip(ours, theirs, strict=True) if (a, b) != (fallback, fallback)]
    share, kappa = same / len(ours), cohen_kappa(ours, theirs)
    among = round(sum(claimed) / len(claimed), 4) if claimed else None
    return Agreement(side, len(ours), round(share, 4), among, round(kappa, 4))
