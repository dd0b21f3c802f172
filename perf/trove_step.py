"""The datatrove step of `perf/build.py`, in a module of its own so that it can be pickled."""

from __future__ import annotations

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep


def to_document(self, row, path, place):
    """Put a question/answer row into datatrove's one text and its metadata."""
    return {
        "text": row["answer"],
        "id": row["id"],
        "metadata": {"question": row["question"], "origin": row["origin"]},
    }


class LabelDocuments(PipelineStep):
    """Clean, identify and label one document after the other, as datatrove's own steps do."""

    name = "label"
    type = "filter"

    def __init__(self, lid_characters: int) -> None:
        super().__init__()
        self.lid_characters = lid_characters

    def run(self, data, rank: int = 0, world_size: int = 1):
        from webfaq_domains.ground.fasttext_models import language_model, load_fasttext
        from webfaq_domains.ground.languages import from_fasttext
        from webfaq_domains.labelers.load import load_labeler
        from webfaq_domains.steps.clean import clean_answer, clean_question
        from webfaq_domains.steps.wellformed import has_question_mark, shown_width

        language, student = load_fasttext(str(language_model())), load_labeler("builtin")
        for document in data:
            assert isinstance(document, Document)
            question = clean_question(document.metadata["question"])
            answer = clean_answer(document.text)
            if shown_width(question) < 10 or shown_width(answer) < 30 or has_question_mark(answer):
                continue
            text = f"{question} {answer}".replace("\n", " ")
            found = language.f.predict(text[: self.lid_characters] + "\n", 1, 0.0, "strict")
            given = student.label([text])
            document.text = answer
            document.metadata.update(
                question=question,
                language=from_fasttext(found[0][1]),
                domain=given.domain[0],
                domain_score=float(given.score[0]),
            )
            yield document
