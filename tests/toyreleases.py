"""Small raw releases of the four benchmarks, in the form of the real ones; all texts are our own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: English sentence, German, French: two of each domain, one that says nothing, one twice but for `!`.
SENTENCES = [
    ("The doctor gave me medicine against the fever.", "Der Arzt gab mir Medizin gegen das Fieber.", "Le médecin m'a donné un remède contre la fièvre."),
    ("The hospital treats patients with a vaccine.", "Das Krankenhaus behandelt Patienten mit einem Impfstoff.", "L'hôpital traite les patients avec un vaccin."),
    ("How do I book a hotel room and a flight?", "Wie buche ich ein Hotelzimmer und einen Flug?", "Comment réserver une chambre d'hôtel et un vol ?"),
    ("The train ticket to the airport is cheap.", "Die Fahrkarte zum Flughafen ist billig.", "Le billet de train pour l'aéroport est bon marché."),
    ("The bank raised the interest on my loan.", "Die Bank erhöhte die Zinsen meines Kredits.", "La banque a augmenté les intérêts de mon prêt."),
    ("Restart the computer and update the software.", "Starte den Computer neu und aktualisiere die Software.", "Redémarrez l'ordinateur et mettez à jour le logiciel."),
    ("Wait here.", "Warte hier.", "Attends ici."),
    ("Wait here!", "Warten Sie hier!", "Attendez ici !"),
]  # fmt: skip


def write_tatoeba(folder: Path, rows: Sequence[tuple[str, str, str]] = tuple(SENTENCES)) -> Path:
    """Write German and French; French lacks the last pair."""
    folder.mkdir(parents=True)
    for column, code, count in ((1, "deu", len(rows)), (2, "fra", len(rows) - 1)):
        for side, name in ((0, "eng"), (column, code)):
            text = "".join(f"{row[side]}\n" for row in rows[:count])
            (folder / f"tatoeba.{code}-eng.{name}").write_text(text, "utf-8")
    return folder


def paragraph(
    sentences: Sequence[str], questions: Sequence[tuple[str, str, str]]
) -> dict[str, Any]:
    """Return a paragraph of XQuAD-R; a question is (id, question, answer text)."""
    context, breaks = " ".join(sentences), []
    for text in sentences:
        start = context.index(text)
        breaks.append([start, start + len(text)])
    entries = [
        {"id": i, "question": q, "answers": [{"text": a, "answer_start": context.index(a)}]}
        for i, q, a in questions
    ]
    return {
        "context": context,
        "sentences": list(sentences),
        "sentence_breaks": breaks,
        "qas": entries,
    }


def xquad() -> dict[str, Any]:
    """Return three languages of a tiny XQuAD-R: two paragraphs, three questions, seven sentences each."""
    return {
        "en": [
            paragraph(
                ["The clinic opened in 1901.", "Its doctors treat fever.", "Patients pay nothing."],
                [("q1", "When did the clinic open?", "1901"), ("q2", "What do doctors treat?", "fever")],
            ),
            paragraph(["The bank lends money.", "Interest is low."], [("q3", "How is interest?", "low")]),
        ],
        "de": [
            paragraph(
                ["Die Klinik wurde 1901 eröffnet.", "Ihre Ärzte behandeln Fieber.", "Patienten zahlen nichts."],
                [("q1", "Wann wurde sie eröffnet?", "1901"), ("q2", "Was behandeln Ärzte?", "Fieber")],
            ),
            paragraph(["Die Bank verleiht Geld.", "Zinsen sind niedrig."], [("q3", "Wie sind Zinsen?", "niedrig")]),
        ],
        "zh": [
            paragraph(
                ["诊所于1901年开业。", "医生治疗发烧。", "医生治疗发烧！"],
                [("q1", "诊所何时开业？", "1901"), ("q2", "医生治疗什么？", "发烧")],
            ),
            paragraph(["银行借钱。", "利息很低。"], [("q3", "利息如何？", "很低")]),
        ],
    }  # fmt: skip


def write_lareqa(folder: Path, languages: dict[str, Any] | None = None) -> Path:
    (folder / "xquad-r").mkdir(parents=True)
    for code, paragraphs in (languages or xquad()).items():
        data = {"data": [{"title": "T", "paragraphs": paragraphs}], "version": "1.1"}
        text = json.dumps(data, ensure_ascii=False, indent=1)
        (folder / "xquad-r" / f"{code}.json").write_text(text, "utf-8")
    return folder


def entity(name: str, title: str, description: str, language: str = "en") -> dict[str, Any]:
    return {
        "entity_id": name, "title": title, "description": description, "description_url": "u",
        "description_language": language, "sentence_spans": [{"start": 0, "end": len(description)}],
    }  # fmt: skip


def mention(language: str, sentences: Sequence[str], word: str, entity_id: str) -> dict[str, Any]:
    """Return one row of a mention file, with the first `word` of the text as its only mention."""
    text, spans = " ".join(sentences), []
    for sentence in sentences:
        start = text.index(sentence)
        spans.append({"start": start, "end": start + len(sentence)})
    start = text.index(word)
    span = {"start": start, "end": start + len(word), "text": word}
    context = {
        "document_title": "t", "document_url": "u", "document_id": "d", "language": language,
        "text": text, "sentence_spans": spans,
    }  # fmt: skip
    found = {"example_id": f"{language}-{entity_id}", "mention_span": span, "entity_id": entity_id}
    return {"context": context, "mentions": [found]}


ENTITIES = [
    entity("Q1", "Aspirin", "Aspirin is a medicine against pain and fever."),
    entity("Q2", "Zürich", "Zürich ist eine Stadt in der Schweiz mit einem Flughafen.", "de"),
    entity("Q3", "Bank", "A bank is a company that lends money."),
]
MENTIONS = [
    mention("en", ["One.", "Two.", "Three {x}.", "He took aspirin.", "Five.", "Six.", "Seven."], "aspirin", "Q1"),
    mention("de", ["Sie flog nach Zürich."], "Zürich", "Q2"),
]  # fmt: skip


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def write_mewslix(folder: Path) -> Path:
    """Write the layout of the release: entities, test mentions, one dev mention."""
    write_lines(folder / "candidate_set_entities.jsonl", ENTITIES)
    write_lines(folder / "wikinews_mentions-test.jsonl", MENTIONS)
    write_lines(folder / "wikinews_mentions-dev.jsonl", [mention("en", ["A bank."], "bank", "Q3")])
    return folder


def write_bucc(folder: Path) -> Path:
    """Write German: training with two pairs and a sentence left over on either side, sample with one pair."""
    folder.mkdir(parents=True)
    texts = {
        "training": (
            [("de-1", "Der Arzt verschreibt Medizin."), ("de-2", "Die Bank verleiht Geld."), ("de-3", "Niemand übersetzte das.")],
            [("en-1", "The doctor prescribes medicine."), ("en-2", "The bank lends money."), ("en-3", "Nobody wrote this in German.")],
            [("de-1", "en-1"), ("de-2", "en-2")],
        ),
        "sample": ([("de-1", "Ein Flug nach Rom.")], [("en-1", "A flight to Rome.")], [("de-1", "en-1")]),
    }  # fmt: skip
    for split, sides in texts.items():
        for end, rows in zip(("de", "en", "gold"), sides, strict=True):
            text = "".join("\t".join(row) + "\n" for row in rows)
            (folder / f"de-en.{split}.{end}").write_text(text, "utf-8")
    return folder
