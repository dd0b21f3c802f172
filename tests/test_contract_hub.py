"""`webfaq-eval intermediate --data hub` fetches and reads data sets laid out as the public ones are."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hubserver import HubServer

pytest.importorskip("webfaq_eval", reason="webfaq-eval is not installed: pip install -e eval")
pytest.importorskip("torch", reason="intermediate training is the extra train of webfaq-eval")

#: Reads the rows of tasks as a run would, with the Hub's stock client.
READ = """
import json, sys
from pathlib import Path
from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.tasks.load import load_tasks
from webfaq_eval.intermediate.settings import Places, Settings

found = {}
for task, *revisions in json.loads(sys.argv[1]):
    try:
        places = Places("none", "hub", Path("none"), revisions=tuple(revisions))
        rows = load_tasks(Settings(task), places)
        found[task] = {
            name: [len(data.train), len(data.dev), repr(data.train[0]), dict(data.skipped)]
            for name, data in rows.items()
        }
    except TaskDataError as error:
        found[task] = str(error)
print(json.dumps(found))
"""


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def nli(number: int) -> dict[str, Any]:
    return {
        "premise": f"Shop {number} opens at noon.", "hypothesis": "The shop is open at night.",
        "label": number % 3, "idx": number,
    }  # fmt: skip


def qqp(number: int) -> dict[str, Any]:
    return {
        "question1": f"What does ticket {number} cost?", "question2": "How much is it?",
        "label": number % 2, "idx": number,
    }  # fmt: skip


def squad(number: int) -> dict[str, Any]:
    context = f"Ticket {number} costs four euros and is valid for a day."
    return {
        "id": f"s{number}", "title": "Tickets", "context": context, "question": "What does it cost?",
        "answers": {"text": ["four euros"], "answer_start": [context.index("four")]},
    }  # fmt: skip


def csqa(number: int) -> dict[str, Any]:
    choices = {"label": list("ABCDE"), "text": ["shop", "sea", "sky", "cup", f"box {number}"]}
    return {
        "id": f"c{number}", "question": f"Where is bread number {number} sold?",
        "question_concept": "bread", "choices": choices, "answerKey": "A",
    }  # fmt: skip


def hellaswag(number: int) -> dict[str, Any]:
    endings = ["and pays.", "and flies.", "and melts.", "and sings."]
    begun = f"A guest takes tray {number}."
    return {
        "ind": number, "activity_label": "Eating", "ctx_a": begun, "ctx_b": "she",
        "ctx": begun + " she", "endings": endings, "source_id": f"a~{number}", "split": "train",
        "split_type": "indomain", "label": "0",
    }  # fmt: skip


def splits(make: Callable[[int], dict[str, Any]], dev: str, pattern: str) -> dict[str, bytes]:
    """Return the files of a data set: 6 training rows, 2 of `dev`, and a test file that is not read."""
    found = {"train": range(6), dev: range(6, 8), "test": range(8, 9)}
    return {
        pattern.format(split=split): parquet([make(number) for number in numbers])
        for split, numbers in found.items()
    }


STOCK = "{split}-00000-of-00001.parquet"


def test_the_public_layouts_are_fetched_and_read(hub: HubServer) -> None:
    glue = {
        **splits(nli, "validation_matched", "mnli/" + STOCK),
        # Neither another config nor the mismatched rows may be taken for the task's.
        "mnli/validation_mismatched-00000-of-00001.parquet": parquet([nli(n) for n in range(20, 29)]),
        **splits(qqp, "validation", "qqp/" + STOCK),
        "cola/train-00000-of-00001.parquet": parquet([{"sentence": "No.", "label": 1, "idx": 0}]),
    }  # fmt: skip
    shas = {
        "nyu-mll/glue": hub.publish("nyu-mll/glue", glue),
        "rajpurkar/squad": hub.publish(
            "rajpurkar/squad", splits(squad, "validation", "plain_text/" + STOCK)
        ),
        "tau/commonsense_qa": hub.publish(
            "tau/commonsense_qa", splits(csqa, "validation", "data/" + STOCK)
        ),
        # As the Hub's own conversion to Parquet lays out a data set that has a script.
        "Rowan/hellaswag": hub.publish(
            "Rowan/hellaswag", splits(hellaswag, "validation", "default/{split}/0000.parquet")
        ),
    }
    asked = {
        "mnli": "nyu-mll/glue", "qqp": "nyu-mll/glue", "squad_v1": "rajpurkar/squad",
        "csqa": "tau/commonsense_qa", "hellaswag": "Rowan/hellaswag",
    }  # fmt: skip
    calls = [[task, f"{name}={shas[name]}"] for task, name in asked.items()]
    every = [f"{name}={sha}" for name, sha in shas.items()]
    calls += [["multi", *every], ["squad_v2"]]
    found = hub.clients.json(READ, json.dumps(calls))
    for task in asked:
        train, dev, first, skipped = found[task][task]
        assert (train, dev, skipped) == (6, 2, {}), task
        assert found["multi"][task] == found[task][task]
        assert first
    assert "Shop 0 opens at noon." in found["mnli"]["mnli"][2]
    assert "four euros" in found["squad_v1"]["squad_v1"][2]
    assert "she and pays." in found["hellaswag"]["hellaswag"][2]
    assert set(found["multi"]) == set(asked)
    assert "add --revision rajpurkar/squad_v2=<40 hex digits>" in found["squad_v2"]
    assert not any("/cola/" in target for target in hub.log.targets())


def test_what_the_hub_refuses_is_said(hub: HubServer) -> None:
    sha = hub.publish("rajpurkar/squad", splits(squad, "validation", "plain_text/" + STOCK))
    glue = hub.publish("nyu-mll/glue", splits(nli, "validation_matched", "mnli/" + STOCK))
    other = "0" * 40
    calls = [["squad_v1", f"rajpurkar/squad={other}"], ["csqa", f"tau/commonsense_qa={sha}"]]
    calls += [["mnli", f"nyu-mll/glue={glue}"], ["qqp", f"nyu-mll/glue={glue}"]]
    found = hub.clients.json(READ, json.dumps(calls))
    assert f"rajpurkar/squad@{other} cannot be fetched from the Hub" in found["squad_v1"]
    assert f"tau/commonsense_qa@{sha} cannot be fetched from the Hub" in found["csqa"]
    # What was fetched for another task is not taken for this one's.
    assert found["mnli"]["mnli"][:2] == [6, 2]
    assert "no Parquet file of config 'qqp'" in found["qqp"]
