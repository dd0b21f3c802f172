"""The prediction files that XTREME's `evaluate.py` scores, one a task and language.

    tatoeba/test-de.tsv      for each English sentence, by its text, the line (from 0) of the foreign
                             sentence that was found
    bucc2018/test-de.tsv     `de-…<TAB>en-…`, a line per mined pair
    mewslix/test-de.json     {mention id: [the 20 best entity ids]}

LAReQA has no such file. Source: google-research/xtreme at 838c13b, `utils_preprocess.py`,
`utils_retrieve.py`, `evaluate.py`, `mock_test_data`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.languages import languages

#: Our task -> XTREME's folder, and how its files end.
FOLDERS = {
    "tatoeba": ("tatoeba", "tsv"),
    "bucc": ("bucc2018", "tsv"),
    "mewslix": ("mewslix", "json"),
}
#: XTREME-R scores Mewsli-X by mAP@20.
_MEWSLIX_DEPTH = 20


def code_of(language: str) -> str:
    """Return the code that XTREME's files have: ISO 639-1, or ISO 639-3 where there is none."""
    known = languages().get(language)
    return (known.iso1 if known else "") or language


def file_of(task: str, language: str) -> str:
    """Return the path of a task's file for a language (ISO 639-3), below labels or predictions."""
    folder, suffix = FOLDERS[task]
    return f"{folder}/test-{code_of(language)}.{suffix}"


def tatoeba_lines(
    english: Sequence[str], place: Mapping[str, int], found: Mapping[str, str], where: str
) -> Iterator[str]:
    """Yield a line for each English sentence: the place of the foreign one that was found for it.

    `english` are ids in XTREME's order (sorted by text); `place` says where each foreign id stands.

    :raises StagedError: if an answer is missing or names no foreign sentence.
    """
    for name in english:
        answer = found.get(name)
        if answer is None:
            raise StagedError(
                f"{where}: the run has {sum(n in found for n in english)} of {len(english)} English "
                f"sentences, {name} is missing; XTREME wants a line for each"
            )
        if answer not in place:
            raise StagedError(f"{where}: {name} is answered by {answer}, which is no query")
        yield str(place[answer])


def bucc_lines(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each mined pair (foreign id, English id)."""
    return (f"{one}\t{other}" for one, other in sorted(pairs))


def mewslix_lines(ranked: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the one line of a language: for each mention the best entities."""
    yield json.dumps({name: list(found[:_MEWSLIX_DEPTH]) for name, found in ranked.items()})
