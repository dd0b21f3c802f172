"""The conditions of the experiment: exactly which pairs a retriever is trained on.

| condition | training pairs |
|---|---|
| `none` | no pair |
| `all` | every non-English pair |
| `in-domain:d` | the non-English pairs of domain d |
| `out-of-domain:d` | the non-English pairs of every domain but d |
| `random:d` | non-English pairs of any domain, per language as many as `in-domain:d` has |
| `english:d` | English pairs of domain d, in total as many as `in-domain:d` has |

Which pairs are drawn is a hash of id and seed compared with others: order, files and machine cannot
change it. `random:d` draws from all domains, so it holds some of d; `overlap` says how much.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.files import value_sha256
from webfaq_eval.errors import TrainingError
from webfaq_eval.pairs.pairs import Ids, PairIndex, Rows, id_order
from webfaq_eval.pairs.settings import Draw

ENGLISH = "eng"
#: The kinds that name a domain, in the order of every table.
WITH_DOMAIN = ("in-domain", "out-of-domain", "random", "english")
KINDS = ("none", "all", *WITH_DOMAIN)
#: A control that shares more of a language's pairs with `in-domain` than this is no control there.
_SAME_SHARE = 0.5


@dataclass(frozen=True)
class Condition:
    """One condition: its kind, and its domain where the kind has one."""

    kind: str
    domain: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.domain}" if self.domain else self.kind


def parse_condition(text: str) -> Condition:
    """Read a condition as it is written: `all`, `in-domain:health`.

    :raises TrainingError: if it is none; lists what there is.
    """
    kind, _, domain = text.partition(":")
    if kind in WITH_DOMAIN and domain:
        return Condition(kind, domain)
    if kind in ("none", "all") and not domain:
        return Condition(kind)
    ways = ", ".join(["none", "all", *(f"{kind}:DOMAIN" for kind in WITH_DOMAIN)])
    raise TrainingError(f"{text!r} is not a condition; there are {ways}")


@dataclass(frozen=True)
class Selection:
    """The pairs of one condition: row numbers in the index, sorted by id, and what to know of them."""

    condition: Condition
    rows: Rows
    languages: dict[str, int]
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)


def select(index: PairIndex, condition: Condition, draw: Draw) -> Selection:
    """Return exactly the pairs of a condition.

    :raises TaskDataError: if the domain has no pair.
    """
    warnings: list[str] = []
    if condition.kind == "none":
        rows: Rows = np.zeros(0, np.int64)
    elif condition.kind == "random":
        rows = _random(index, _in_domain(index, condition, draw), draw)
    elif condition.kind == "english":
        rows = _english(index, condition, draw, warnings)
    else:
        rows = _in_domain(index, condition, draw)
    rows = rows[id_order(index.ids[rows])]
    counted = Counter(index.language[rows].tolist())
    languages = {index.languages[number]: counted[number] for number in sorted(counted)}
    return Selection(condition, rows, dict(sorted(languages.items())), warnings)


def _pool(index: PairIndex) -> npt.NDArray[np.bool_]:
    """Return which pairs may train at all: not English, not in a held-out language."""
    return ~index.is_language(ENGLISH) & ~index.excluded


def _in_domain(index: PairIndex, condition: Condition, draw: Draw) -> Rows:
    """Return the rows of `all`, `in-domain` or `out-of-domain`, at most so many per language."""
    wanted = _pool(index)
    if condition.kind == "out-of-domain":
        wanted &= ~index.is_domain(str(condition.domain))
    elif condition.kind != "all":
        wanted &= index.is_domain(str(condition.domain))
    rows = np.flatnonzero(wanted)
    if draw.pairs_per_language is None:
        return rows
    quota = dict.fromkeys(np.unique(index.language[rows]).tolist(), draw.pairs_per_language)
    return _draw(index, rows, quota, f"limit/{draw.seed}")


def _random(index: PairIndex, like: Rows, draw: Draw) -> Rows:
    """Return as many pairs per language as `like` has, drawn from all that may train.

    The pool holds `like` itself, so it is never too small.
    """
    quota = Counter(index.language[like].tolist())
    return _draw(index, np.flatnonzero(_pool(index)), quota, f"random/{draw.seed}")


def _english(index: PairIndex, condition: Condition, draw: Draw, warnings: list[str]) -> Rows:
    wanted = len(_in_domain(index, Condition("in-domain", condition.domain), draw))
    english = index.is_language(ENGLISH) & index.is_domain(str(condition.domain)) & ~index.excluded
    rows = np.flatnonzero(english)
    if len(rows) < wanted:
        warnings.append(
            f"{condition} has {len(rows):,} pairs where in-domain:{condition.domain} has {wanted:,}: "
            "there are no more. Lower --pairs-per-language to compare equal sizes"
        )
    if not len(rows):
        return rows
    number = int(index.language[rows[0]])
    return _draw(index, rows, {number: wanted}, f"english/{draw.seed}")


def _draw(index: PairIndex, rows: Rows, quota: dict[int, int], salt: str) -> Rows:
    """Return per language the `quota` rows of the smallest hash of id and salt."""
    keys = id_hash(index.ids[rows], salt)
    language = index.language[rows]
    # By language, then hash, then id: equal hashes cannot make the choice depend on the order.
    order = np.lexsort((index.ids[rows]["low"], keys, language))
    starts = np.flatnonzero(np.diff(language[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    kept = [
        order[start : min(end, start + quota.get(int(language[order[start]]), 0))]
        for start, end in zip(starts, ends, strict=True)
    ]
    chosen = np.concatenate([*kept, np.zeros(0, np.int64)]).astype(np.int64)
    return rows[np.sort(chosen)]


def id_hash(ids: Ids, salt: str) -> npt.NDArray[np.uint64]:
    """Return a uniform 64-bit number per id; another salt gives unrelated numbers.

    The ids are hashes of the content already; this is the finaliser of SplitMix64 over both halves.
    """
    key = np.uint64(int(value_sha256(salt)[:16], 16))
    with np.errstate(over="ignore"):
        mixed = _mix(ids["high"].astype(np.uint64) ^ key)
        return _mix(mixed ^ ids["low"].astype(np.uint64))


def _mix(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def control_warnings(index: PairIndex, inside: Selection, random: Selection) -> list[str]:
    """Say in which languages `random:d` cannot be told from `in-domain:d`: its pool has little else."""
    shared = np.intersect1d(inside.rows, random.rows, assume_unique=True)
    same = Counter(index.language[shared].tolist())
    close = [
        f"{code} ({same[index.languages.index(code)] / count:.0%})"
        for code, count in inside.languages.items()
        if same[index.languages.index(code)] > _SAME_SHARE * count
    ]
    if not close:
        return []
    return [
        f"{random.condition} is hardly a control in {len(close)} of {len(inside.languages)} languages, "
        f"where most of its pairs are in-domain too: {', '.join(close)}"
    ]
