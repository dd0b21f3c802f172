"""The student: a fastText model that labels tens of thousands of pairs a second on one core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.fasttext_models import load_fasttext
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.labelers.base import Labeler, LabelerId, Probabilities
from webfaq_domains.labelers.calibration import Platt
from webfaq_domains.labelers.folder import StudentFile, read_file_of

Points = npt.NDArray[np.uint32]

#: What fastText puts before a label.
LABEL = "__label__"

#: Code points of East Asian scripts, which put no spaces between words: kana, Han, Hangul.
_UNSPACED = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF))

#: The least run of them that is read as pairs.
_RUN = 3

#: Texts that are one array: some megabytes.
_TOGETHER = 1000

#: What is read of a text with such runs: it says in 200 characters what English says in 500.
_DENSE = 200


def _dense(points: Points) -> npt.NDArray[np.bool_]:
    """Return which code points are of scripts without spaces between words."""
    found: npt.NDArray[np.bool_] = np.zeros(len(points), np.bool_)
    for first, last in _UNSPACED:
        found |= (points >= first) & (points <= last)
    return found


def _runs(points: Points) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each run of `_RUN` or more dense code points starts and ends."""
    edges = np.diff(np.concatenate([[0], _dense(points).view(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    long = ends - starts >= _RUN
    return starts[long], ends[long]


def _bigrams(points: Points) -> Points:
    """Return the code points with each run " abcd " as its pairs " ab bc cd "."""
    starts, ends = _runs(points)
    inside = np.zeros(len(points) + 1, np.int64)
    inside[starts], inside[ends] = 1, -1
    run = np.cumsum(inside[:-1]) > 0
    # How many code points each becomes: a pair and a space, with a space more before a run's first.
    sizes = np.where(run, 3, 1)
    sizes[starts], sizes[ends - 1] = 4, 0
    place = np.cumsum(sizes) - sizes
    out = np.full(int(sizes.sum()), ord(" "), np.uint32)
    out[place[~run]] = points[~run]
    run[ends - 1] = False
    firsts = np.flatnonzero(run)
    at = place[firsts]
    at[np.searchsorted(firsts, starts)] += 1
    out[at], out[at + 1] = points[firsts], points[firsts + 1]
    return out


def _points(texts: Sequence[str]) -> Points:
    return np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)


def student_lines(texts: Sequence[str]) -> list[str]:
    """Return texts as the student reads them, in training and in use, each with a line feed.

    Lower case, one line; Chinese, Japanese and Korean runs as overlapping pairs of characters,
    because fastText's own n-grams are too long for them, and only the first 200 characters of such
    a text, which say as much as 500 of English. Punctuation stays: a word's n-grams without it are
    among its n-grams with it, and taking it out costs as much time as labelling.

    Texts are one array of code points, `_TOGETHER` of them at a time: a search of each by itself
    costs four times as much.
    """
    lines = [text.lower().replace("\n", " ") + "\n" for text in texts]
    for first in range(0, len(lines), _TOGETHER):
        lines[first : first + _TOGETHER] = _paired(lines[first : first + _TOGETHER])
    return lines


def _paired(lines: list[str]) -> list[str]:
    """Return lines with the runs of dense scripts as pairs."""
    if all(map(str.isascii, lines)):
        return lines
    starts, _ = _runs(points := _points(lines))
    ends = np.cumsum([len(line) for line in lines], dtype=np.int64)
    dense = np.unique(np.searchsorted(ends, starts, side="right")).tolist()
    if dense:
        cut = [lines[number][:-1][:_DENSE] + "\n" for number in dense]
        points = _bigrams(_points(cut))
        paired = points.tobytes().decode("utf-32-le", "surrogatepass").split("\n")
        for number, line in zip(dense, paired, strict=False):
            lines[number] = line + "\n"
    return lines


def student_text(text: str) -> str:
    """Return one text as the student reads it; see `student_lines`.

    >>> student_text("Is my e-mail safe?"), student_text("健康保険")
    ('is my e-mail safe?', ' 健康 康保 保険 ')
    """
    return student_lines([text])[0][:-1]


@dataclass(frozen=True, eq=False)
class Student(Labeler):
    """A calibrated fastText classifier with one label per domain and one for the fallback."""

    calibration: Platt
    model: Any = field(repr=False)

    @classmethod
    def of(cls, record: StudentFile, model: Any) -> Student:
        """Put a described model together."""
        identity = LabelerId("student", record.name, record.model_sha256, record.taxonomy_version)
        return cls(
            identity, record.domains, record.cuts, record.fallback, record.characters,
            record.calibration.platt, model,
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path) -> Student:
        """Load a student folder: `labeler.json` and the fastText model it pins by sha256.

        :raises LabelerError: if the description is incomplete or the model is another one.
        """
        record = read_file_of(folder, StudentFile)
        path = folder / record.model
        if not path.is_file() or file_sha256(path) != record.model_sha256:
            raise LabelerError(
                f"{path} is missing or is not the model with sha256 {record.model_sha256} that "
                f"{LABELER_FILE} pins; fetch the folder again"
            )
        return cls.of(record, load_fasttext(str(path)))

    def scores(self, texts: Sequence[str]) -> Probabilities:
        """Return fastText's own probabilities, shape (len(texts), len(domains))."""
        if not texts:
            return np.zeros((0, len(self.domains)), np.float32)
        columns = {f"{LABEL}{slug}": number for number, slug in enumerate(self.domains)}
        rest = len(columns)
        lines = student_lines([text[: self.characters] for text in texts])
        labels, values = self.model.f.multilinePredict(lines, -1, 0.0, "strict")
        # One flat scatter instead of a loop over rows: rows differ in length where fastText gives
        # a label a probability of 0 and leaves it out.
        counts = np.fromiter(map(len, labels), np.int64, len(labels))
        places = [columns.get(name, rest) for names in labels for name in names]
        out = np.zeros((len(texts), rest + 1), np.float32)
        rows = np.repeat(np.arange(len(texts)), counts)
        out[rows, places] = np.concatenate([np.asarray(found, np.float32) for found in values])
        return out[:, :rest]

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        return self.calibration(self.scores(texts))
