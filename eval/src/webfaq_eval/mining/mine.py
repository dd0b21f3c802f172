"""Mine hard negatives with a trained retriever: the answers it ranks high that are not right.

    OUT/<language>-NNNNN-of-NNNNN.jsonl.gz   the format that `train --negatives` reads
    OUT/mined.json                           counts by reason and what it was made from, written last
    OUT/work/                                texts, vectors and counts; gone when the run is done

Questions are searched in the answers of their own language, a shard of questions at a time. Memory is
bounded by a shard and a block of answers; texts and vectors lie on disk. A shard that is there is not
made again. With a teacher (`teacher.py`) the scores are the teacher's, else the retriever's.
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

from webfaq_domains.ground.files import replacing, value_sha256, write_json
from webfaq_eval.errors import TrainingError
from webfaq_eval.mining.candidates import Candidates, Language, Pool
from webfaq_eval.mining.settings import MineSettings, TeacherSettings
from webfaq_eval.mining.teacher import Teacher
from webfaq_eval.pairs.pairs import (
    ID,
    PairFolder,
    Rows,
    format_ids,
    id_order,
    open_pairs,
    parse_ids,
)
from webfaq_eval.pairs.texts import PairTexts, gather_texts
from webfaq_eval.training.encoder import Opened, open_encoder
from webfaq_eval.training.processes import Processes
from webfaq_eval.training.settings import EncoderSettings

log = logging.getLogger(__name__)
RECORD = "mined.json"


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


def mine(
    pairs: str,
    encoder: EncoderSettings,
    out: Path,
    settings: MineSettings,
    teacher: TeacherSettings | None = None,
) -> Mined:
    """Write hard negatives for every question of the train split.

    :raises EvalError: if a model or the pairs cannot be read, or `out` holds other negatives.
    """
    device = Processes.found(None).device
    opened = open_encoder(encoder, device)
    scorer = Teacher(teacher, device) if teacher else None
    source = open_pairs(pairs)
    facts: dict[str, Any] = {
        "data": source.digest,
        "model": {"name": opened.name, "revision": opened.revision},
        "prefixes": [opened.query_prefix, opened.passage_prefix],
        "max_length": opened.model.max_seq_length,
        "settings": asdict(settings),
    }
    if scorer:
        facts["teacher"] = scorer.facts
    identity = value_sha256(facts)
    if _done(out, identity):
        return Mined(out, json.loads((out / RECORD).read_text(encoding="utf-8")))
    work = out / "work" / identity[:16]
    counted = _Mining(_all_texts(source, work), opened, settings, out, work, scorer).run()
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
    teacher: Teacher | None = None

    def run(self) -> Counter[str]:
        from tqdm import tqdm

        counted: Counter[str] = Counter()
        with tqdm(total=len(self.texts), desc="mine", unit="question") as progress:
            for code in range(len(self.texts.languages)):
                language = Language(self.texts, self.opened, code, self.work)
                for shard, name in language.shards(self.settings.shard_questions):
                    counted.update(self._shard(language, shard, name))
                    progress.update(len(shard))
                shutil.rmtree(language.folder, ignore_errors=True)
        return counted

    def _shard(self, language: Language, asked: Rows, name: str) -> Counter[str]:
        """Mine one shard, or read the counts of one that is there."""
        path, counts = self.out / f"{name}.jsonl.gz", self.work / f"{name}.json"
        if path.is_file() and counts.is_file():
            return Counter(json.loads(counts.read_text(encoding="utf-8")))
        counted: Counter[str] = Counter()
        with replacing(path) as temporary, _packed(temporary) as sink:
            for line in self._lines(language.pool, asked, counted):
                sink.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        write_json(counts, dict(counted))
        return counted

    def _lines(self, pool: Pool, asked: Rows, counted: Counter[str]) -> Iterator[dict[str, Any]]:
        """Yield a line for each question that has a negative."""
        found = pool.candidates(asked, self.settings, counted)
        lines: Iterator[dict[str, Any]] = (self._line(candidates) for candidates in found)
        if self.teacher:
            lines = self.teacher.rescore(lines, counted)
        for line in lines:
            counted["questions"] += 1
            counted["negatives kept"] += len(line["negatives"])
            if line["negatives"]:
                yield line
            else:
                counted["questions without a negative, left out"] += 1

    def _line(self, found: Candidates) -> dict[str, Any]:
        row, rows = found.row, [negative for negative, _ in found.negatives]
        return {
            "id": format_ids(self.texts.ids[row : row + 1])[0],
            "language": self.texts.languages[self.texts.language[row]],
            "query": self.texts.questions([row])[0],
            "positive": self.texts.answers([row])[0],
            "positive_score": round(found.score, 6),
            "negatives": self.texts.answers(rows),
            "negative_ids": format_ids(self.texts.ids[rows]),
            "negative_scores": [round(score, 6) for _, score in found.negatives],
        }
