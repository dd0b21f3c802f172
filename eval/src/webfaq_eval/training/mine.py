"""Mine hard negatives with a trained retriever: the answers it ranks high that are not right.

    OUT/<language>-NNNNN-of-NNNNN.jsonl.gz   the grouped format that `train --negatives` reads
    OUT/mined.json                           counts by reason and what it was made from, written last
    OUT/work/                                texts, vectors and counts; gone when the run is done

Questions are searched in the answers of their own language, a shard of questions at a time. Memory is
bounded by a shard and a block of answers; texts and vectors lie on disk. A shard that is there is not
made again.
"""

from __future__ import annotations

import gzip
import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_eval.errors import TrainingError
from webfaq_eval.files import replacing, value_sha256, write_json
from webfaq_eval.search import search
from webfaq_eval.training.embedders import TextEmbedder, encode
from webfaq_eval.training.encoder import EncoderSettings, Opened, open_encoder
from webfaq_eval.training.pairs import (
    ID,
    PairFolder,
    Rows,
    format_ids,
    id_order,
    open_pairs,
    parse_ids,
)
from webfaq_eval.training.processes import Processes
from webfaq_eval.training.texts import Keys, PairTexts, gather_texts

log = logging.getLogger(__name__)
RECORD = "mined.json"
_BLOCK = 10_000
_TOGETHER = 32


@dataclass(frozen=True)
class MineSettings:
    """How negatives are found.

    The best `depth` answers are looked at and at most `most` kept. One that scores above `ratio` times
    the right answer's score is likely right itself and left out, as is any answer that the pairs have
    for the question.
    """

    depth: int = 100
    most: int = 20
    ratio: float = 0.95
    shard_questions: int = 10_000

    def __post_init__(self) -> None:
        if not (0 < self.most <= self.depth and self.ratio > 0 and self.shard_questions > 0):
            raise TrainingError(
                f"depth {self.depth}, most {self.most}, ratio {self.ratio}, shard_questions "
                f"{self.shard_questions}: expected 0 < most <= depth and the others above 0"
            )


@dataclass(frozen=True)
class Mined:
    """What was mined: the folder and its record."""

    folder: Path
    record: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), **self.record}

    def text(self) -> str:
        lines = [f"{name:58}{count:>12,}" for name, count in self.record["counted"].items()]
        return "\n".join([*lines, f"mined: {self.folder}"])


def mine(pairs: str, encoder: EncoderSettings, out: Path, settings: MineSettings) -> Mined:
    """Write hard negatives for every question of the train split.

    :raises EvalError: if model or pairs cannot be read, or `out` holds other negatives.
    """
    device = Processes.found(None).device
    opened = open_encoder(encoder, device)
    source = open_pairs(pairs)
    facts = {
        "data": source.digest,
        "model": {"name": Path(encoder.encoder).name, "revision": opened.revision},
        "prefixes": [opened.query_prefix, opened.passage_prefix],
        "max_length": opened.model.max_seq_length,
        "settings": asdict(settings),
    }
    identity = value_sha256(facts)
    if _done(out, identity):
        return Mined(out, json.loads((out / RECORD).read_text(encoding="utf-8")))
    texts = _all_texts(source, out / "work" / identity[:16])
    mining = _Mining(texts, opened, settings, out, out / "work" / identity[:16])
    counted = mining.run()
    record = {"run": identity, **facts, "counted": dict(sorted(counted.items()))}
    write_json(out / RECORD, record)
    shutil.rmtree(out / "work")
    return Mined(out, record)


def _done(out: Path, identity: str) -> bool:
    """Return whether the folder is finished.

    :raises TrainingError: if it holds, or was begun with, other settings.
    """
    if (out / RECORD).is_file():
        before = str(json.loads((out / RECORD).read_text(encoding="utf-8"))["run"])
    else:
        begun = sorted((out / "work").glob("*")) if (out / "work").is_dir() else []
        before = next((place.name for place in begun), identity[:16])
    if not identity.startswith(before[:16]):
        raise TrainingError(
            f"{out} holds negatives of another model, other pairs or settings; use another --out"
        )
    return (out / RECORD).is_file()


def _all_texts(pairs: PairFolder, work: Path) -> PairTexts:
    ids = [parse_ids(table["id"]) for table in pairs.tables("train", ("id",))]
    every = np.concatenate([*ids, np.zeros(0, ID)])
    return gather_texts(pairs, "train", every[id_order(every)], work / "texts.arrow")


@contextmanager
def _packed(path: Path) -> Iterator[gzip.GzipFile]:
    """Open a gzip file without name and time in its header: the same lines are the same bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as sink:
        yield sink


@dataclass
class _Mining:
    """One run: language by language, shard by shard."""

    texts: PairTexts
    opened: Opened
    settings: MineSettings
    out: Path
    work: Path

    def run(self) -> Counter[str]:
        from tqdm import tqdm

        counted: Counter[str] = Counter()
        with tqdm(total=len(self.texts), desc="mine", unit="question") as progress:
            for code, language in enumerate(self.texts.languages):
                rows = np.flatnonzero(self.texts.language == code)
                for number, (shard, count) in enumerate(self._shards(rows)):
                    counted.update(self._shard(language, rows, shard, (number, count)))
                    progress.update(len(shard))
                shutil.rmtree(self.work / language, ignore_errors=True)
        return counted

    def _shards(self, rows: Rows) -> Iterator[tuple[Rows, int]]:
        size = self.settings.shard_questions
        count = -(-len(rows) // size)
        for start in range(0, len(rows), size):
            yield rows[start : start + size], count

    def _shard(self, language: str, rows: Rows, asked: Rows, at: tuple[int, int]) -> Counter[str]:
        """Mine one shard, or read the counts of one that is there."""
        name = f"{language}-{at[0]:05}-of-{at[1]:05}"
        path, counts = self.out / f"{name}.jsonl.gz", self.work / f"{name}.json"
        if path.is_file() and counts.is_file():
            return Counter(json.loads(counts.read_text(encoding="utf-8")))
        pool = self._pool(language, rows)
        counted: Counter[str] = Counter()
        with replacing(path) as temporary, _packed(temporary) as sink:
            for line in self._lines(pool, rows, asked, counted):
                sink.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        write_json(counts, dict(counted))
        return counted

    def _pool(self, language: str, rows: Rows) -> _Pool:
        """Return the different answers of a language with their vectors, encoded block by block."""
        _, first = np.unique(self.texts.answer_key[rows], return_index=True)
        chosen = rows[np.sort(first)]
        folder = self.work / language
        vectors = [
            self._vectors(folder / f"{start:012}.npy", chosen[start : start + _BLOCK])
            for start in range(0, len(chosen), _BLOCK)
        ]
        return _Pool(chosen, self.texts.answer_key[chosen], _Stacked(vectors))

    def _vectors(self, path: Path, rows: Rows) -> Any:
        if not path.is_file():
            answers = [self.opened.passage_prefix + text for text in self.texts.answers(rows)]
            vectors = encode(TextEmbedder(self.opened.model), answers, _TOGETHER)
            with replacing(path) as temporary, temporary.open("wb") as sink:
                np.save(sink, vectors, allow_pickle=False)
        return np.load(path, mmap_mode="r", allow_pickle=False)

    def _lines(
        self, pool: _Pool, rows: Rows, asked: Rows, counted: Counter[str]
    ) -> Iterator[dict[str, Any]]:
        questions = [self.opened.query_prefix + text for text in self.texts.questions(asked)]
        vectors = encode(TextEmbedder(self.opened.model), questions, _TOGETHER)
        found = search(vectors, pool.vectors, min(self.settings.depth, len(pool.rows)))
        right = _RightKeys(self.texts, rows)
        places = pool.places(self.texts.answer_key[asked])
        for number, row in enumerate(asked.tolist()):
            own = float(vectors[number] @ pool.vectors.row(int(places[number])))
            ranked = zip(found.rows[number].tolist(), found.scores[number].tolist(), strict=True)
            keys = right.of(int(self.texts.question_key[row]))
            kept = list(self._kept(ranked, pool.keys, keys, (own, counted)))
            counted["questions"] += 1
            counted["negatives kept"] += len(kept)
            if not kept:
                counted["questions without a negative, left out"] += 1
                continue
            yield self._line(row, own, [(int(pool.rows[place]), score) for place, score in kept])

    def _kept(
        self, ranked: Any, keys: Keys, right: set[int], own: tuple[float, Counter[str]]
    ) -> Iterator[tuple[int, float]]:
        score_of_right, counted = own
        kept = 0
        for place, score in ranked:
            if place < 0 or kept == self.settings.most:
                return
            if int(keys[place]) in right:
                counted["candidates: they answer the question"] += 1
            elif score > score_of_right * self.settings.ratio:
                counted["candidates: score above the right answer's x ratio"] += 1
            else:
                kept += 1
                yield place, score

    def _line(self, row: int, own: float, negatives: list[tuple[int, float]]) -> dict[str, Any]:
        places = [place for place, _ in negatives]
        return {
            "id": format_ids(self.texts.ids[row : row + 1])[0],
            "language": self.texts.languages[self.texts.language[row]],
            "query": self.texts.questions([row])[0],
            "positive": self.texts.answers([row])[0],
            "positive_score": round(own, 6),
            "negatives": self.texts.answers(places),
            "negative_ids": format_ids(self.texts.ids[places]),
            "negative_scores": [round(score, 6) for _, score in negatives],
        }


@dataclass(frozen=True)
class _Pool:
    """The different answers of one language: a pair's row, the text's key, and the vectors."""

    rows: Rows
    keys: Keys
    vectors: _Stacked

    def places(self, keys: Keys) -> Rows:
        """Return where answers are in the pool; each is there."""
        order = np.argsort(self.keys, kind="stable")
        return order[np.searchsorted(self.keys[order], keys)]


class _Stacked:
    """Blocks of vectors on disk as one matrix that can be sliced."""

    def __init__(self, blocks: list[Any]) -> None:
        self.blocks = blocks
        self.starts = np.cumsum([0, *(len(block) for block in blocks)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, rows: slice, /) -> Any:
        start, stop, _ = rows.indices(len(self))
        parts = [
            block[max(0, start - first) : max(0, stop - first)]
            for block, first in zip(self.blocks, self.starts[:-1].tolist(), strict=True)
        ]
        return np.concatenate(parts)

    def row(self, place: int) -> Any:
        block = int(np.searchsorted(self.starts, place, side="right")) - 1
        return self.blocks[block][place - int(self.starts[block])]


class _RightKeys:
    """The keys of all answers that one language's pairs have for a question."""

    def __init__(self, texts: PairTexts, rows: Rows) -> None:
        self.order = rows[np.argsort(texts.question_key[rows], kind="stable")]
        self.questions = texts.question_key[self.order]
        self.answers = texts.answer_key[self.order]

    def of(self, question: int) -> set[int]:
        first = np.searchsorted(self.questions, np.uint64(question))
        last = np.searchsorted(self.questions, np.uint64(question), side="right")
        return set(self.answers[first:last].tolist())
