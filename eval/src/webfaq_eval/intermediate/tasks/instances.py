"""What a model is trained on and measured on: the instances of the five kinds of task."""

from __future__ import annotations

from dataclasses import dataclass


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
    def source_text(self) -> str:
        return self.first


@dataclass(frozen=True)
class Question:
    """A question about a context. `starts` are characters in it; no answer means: it has none.

    `name` is the id that its file gives it; nothing is looked up by it, since files repeat ids.
    """

    name: str
    question: str
    context: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.question, self.context)

    @property
    def source_text(self) -> str:
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
    def source_text(self) -> str:
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
    def source_text(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Text:
    """A text to learn language from."""

    text: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def source_text(self) -> str:
        return self.text


#: `texts` is what tells two instances apart, without the label; those of one `source_text` (a premise, a
#: paragraph) stay on one side when rows are split into train and dev.
Instance = Pair | Question | Choice | Tagged | Text
