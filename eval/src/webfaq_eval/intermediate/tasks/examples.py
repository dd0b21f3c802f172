"""Examples of the five kinds of task, and how a row says that it is not one."""

from __future__ import annotations

from dataclasses import dataclass

from webfaq_eval.errors import TaskDataError


class Skip(Exception):
    """A row that is well formed but cannot be trained on; its text is the reason it is counted by."""


class BrokenRow(TaskDataError):
    """A row that is not in its task's format; says place, what was met and what was expected."""


@dataclass(frozen=True)
class Pair:
    """Two texts and the number of their class."""

    first: str
    second: str
    label: int

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.first, self.second)

    @property
    def group(self) -> str:
        return self.first


@dataclass(frozen=True)
class Question:
    """A question about a context. `starts` are characters in it; no answer means: it has none."""

    name: str
    question: str
    context: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.question, self.context)

    @property
    def group(self) -> str:
        return self.context


@dataclass(frozen=True)
class Choice:
    """A prompt and its possible continuations, of which number `label` is right."""

    prompt: str
    options: tuple[str, ...]
    label: int

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.prompt, *self.options)

    @property
    def group(self) -> str:
        return self.prompt


@dataclass(frozen=True)
class Tagged:
    """The words of a sentence and the tag of each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return self.words

    @property
    def group(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Text:
    """A text to learn language from."""

    text: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def group(self) -> str:
        return self.text


#: `texts` is what tells two examples apart, without the label; examples of one `group` (a premise, a
#: paragraph) stay on one side when rows are split into train and dev.
Example = Pair | Question | Choice | Tagged | Text


def label_number(value: object, names: dict[str, int], place: str) -> int:
    """Return a label's number; accepts each of its names in any case, and numbers as text.

    :raises Skip: for a row without a label: empty, null, `-` (no majority of annotators) or -1.
    :raises BrokenRow: for any other value.
    """
    text = "" if value is None else str(value).strip().lower()
    if text in ("", "-", "-1"):
        raise Skip("unlabelled")
    if text not in names:
        raise BrokenRow(f"{place}: the label is {value!r}; expected one of {', '.join(names)}")
    return names[text]
