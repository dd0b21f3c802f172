"""Small repositories in the shapes of WebFAQ v1 and v2 and of others, good and bad, for tests."""

from __future__ import annotations

import gzip
import io
import json
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hubserver.server import HubServer

V1, V2, GENERIC = "org/webfaq", "org/webfaq-v2", "org/own-faq"
QUESTION_WORDS = (
    "What", "When", "Where", "Which", "Who/Whom/Whose", "Why", "How", "Is, are, do, does",
    "Can, could, will, would, may, might, shall, should, must", "No Question Word",
)  # fmt: skip
QUESTION_TYPES = (
    "NOT-A-QUESTION", "FACTOID", "DEBATE", "EVIDENCE-BASED", "INSTRUCTION", "REASON",
    "EXPERIENCE", "COMPARISON",
)  # fmt: skip
TOPIC = "Traveling and Hospitality"
LARGE = 8 << 20


def parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def gz(rows: list[dict[str, Any]]) -> bytes:
    return gzip.compress(jsonl(rows), compresslevel=1, mtime=0)


def noise(size: int) -> str:
    """Text that does not compress: a file of it is larger than what a look at its columns reads."""
    return random.Random(0).randbytes(size // 2).hex()


def v1(language: str, question: str, **more: str) -> dict[str, Any]:
    host = f"https://www.{language}.example"
    pair = {"question": question, "answer": "…", "semantic_similarity_score": 0.75}
    return {
        "id": f"{language}{question}",
        "scheme_host": host,
        "url": f"{host}/faq",
        **pair,
        **more,
    }


def v2(language: str, question: str, **more: str) -> dict[str, Any]:
    row = v1(language, question, **more)
    row["origin"] = row.pop("scheme_host").removeprefix("https://")
    return row


def question_of(word: str) -> str:
    return f"{word} …?"


V1_FILES = {
    "ara/default-00000-of-00001.parquet": parquet(
        [v1("ara", "أين يقع الفندق؟", topic=TOPIC, question_type="Where")]
    ),
    "deu/default-00000-of-00001.parquet": parquet(
        [v1("deu", question_of(word), topic=TOPIC, question_type=word) for word in QUESTION_WORDS]
    ),
    "gle/default-00000-of-00001.parquet": parquet([v1("gle", "Cá bhfuil an óstán?")]),
}
V2_FILES = {
    "data/eng.parquet": parquet(
        [v2("eng", question_of(kind), topic=TOPIC, question_type=kind) for kind in QUESTION_TYPES]
    ),
    "data/fra.parquet": parquet([v2("fra", "Où ?", topic=TOPIC, question_type="FACTOID")]),
    "data/mlt.parquet": parquet([v2("mlt", "Fejn?")]),
}
GENERIC_FILES = {
    "deu.jsonl.gz": gzip.compress(
        jsonl([{"_id": "7", "question": "Wie groß?", "answer": "Groß."}])
        + b'{"question": "Wo?"}\n',
        mtime=0,
    ),
    "notes/readme.txt": b"not a data file",
}


def card(*configs: str) -> bytes:
    listed = "".join(
        f"- config_name: {name}\n  data_files:\n  - {{split: default, path: {name}/default-*}}\n"
        for name in configs
    )
    return f"---\nconfigs:\n{listed}---\n".encode()


def publish(hub: HubServer) -> dict[str, str]:
    """Put every repository of these tests on the server; return the sha of each."""
    readme = card("ara", "deu", "gle")
    text = noise(300_000)
    no_answer = [{"id": str(n), "question": text[n::100], "reply": text[n::99]} for n in range(99)]
    numbers = [{"question": n, "answer": text[n::100]} for n in range(99)]
    pair = {"id": "1", "question": "Why?", "answer": "Because."}
    long_pair = {**pair, "answer": noise(4 << 20)}
    long_line = {"id": "1", "text": "…", "filler": noise(4096)}
    contents = {
        V1: {"README.md": readme, **V1_FILES},
        V2: {"README.md": b"---\n---\n", **V2_FILES},
        GENERIC: GENERIC_FILES,
        "org/moving": {"eng.jsonl": jsonl([{"question": "Before?", "answer": "Yes."}])},
        "org/empty": {"README.md": b"---\n---\n", "notes.txt": b"nothing here"},
        "org/no-answer": {"eng.parquet": parquet(no_answer)},
        "org/numbers": {"eng.parquet": parquet(numbers)},
        "org/no-text": {"eng.jsonl": jsonl([long_line]) * (LARGE // 4096)},
        "org/no-text-gz": {"eng.jsonl.gz": gz([{"text": "…"}, {"text": noise(4 * LARGE)}])},
        "org/large-gz": {"eng.jsonl.gz": gz([pair, {**pair, "answer": noise(3 << 20)}])},
        "org/long-line": {"eng.jsonl": jsonl([long_pair]), "fra.jsonl.gz": gz([long_pair])},
        "org/nothing-in-it": {"eng.jsonl": b"", "fra.jsonl": jsonl([pair])},
        "org/half": {
            "ara.parquet": V1_FILES[next(iter(V1_FILES))],
            "deu.parquet": parquet(no_answer),
        },
        "org/broken": {"eng.parquet": b"PAR1" + bytes(200_000)},
        "org/gated": {"eng.parquet": parquet(numbers)},
        "org/private": {"eng.parquet": parquet(numbers)},
    }
    shas = {repo: hub.publish(repo, files, tag="v1.0.0") for repo, files in contents.items()}
    hub.repo("org/gated").gated = "auto"
    hub.repo("org/private").private = True
    return shas
