"""A staged `webfaq-domains` folder with pairs written here: four languages, three domains, 3 splits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

#: Language -> (question, answer) with places for a thing and a number.
SENTENCES = {
    "deu": ("Wie kann ich {0} Nummer {1} bestellen?", "Sie bestellen {0} Nummer {1} über unsere Seite und bezahlen mit Rechnung."),
    "fra": ("Comment puis-je commander {0} numéro {1} ?", "Vous commandez {0} numéro {1} sur notre site et vous payez par facture."),
    "swa": ("Ninawezaje kuagiza {0} nambari {1}?", "Unaweza kuagiza {0} nambari {1} kupitia tovuti yetu na kulipa baadaye."),
    "eng": ("How can I order {0} number {1}?", "You order {0} number {1} on our site and pay by invoice."),
}  # fmt: skip
THINGS = {"health": "Aspirin", "technology": "Tablet", "travel": "Ticket"}


def pair(language: str, domain: str, number: int, origin: str | None = None) -> dict[str, str]:
    """Return one pair; another number gives other texts."""
    question, answer = (text.format(THINGS[domain], number) for text in SENTENCES[language])
    return row(language, domain, question, answer, origin or f"{language}{number % 5}.example")


def row(language: str, domain: str, question: str, answer: str, origin: str) -> dict[str, str]:
    key = "\x1f".join((language, question, answer)).encode()
    return {
        "id": hashlib.blake2b(key, digest_size=16).hexdigest(), "language": language, "domain": domain,
        "question": question, "answer": answer, "origin": origin,
    }  # fmt: skip


def many(counts: dict[tuple[str, str], int], first: int = 0) -> list[dict[str, str]]:
    """Return so many pairs per (language, domain)."""
    return [
        pair(language, domain, first + number)
        for (language, domain), count in counts.items()
        for number in range(count)
    ]


def write_pairs(folder: Path, splits: dict[str, list[dict[str, str]]]) -> Path:
    """Write a staged folder as `webfaq-domains` does: a file per domain, language and split."""
    files = []
    for split, rows in splits.items():
        cells: dict[tuple[str, str], list[dict[str, str]]] = {}
        for one in rows:
            cells.setdefault((one["domain"], one["language"]), []).append(one)
        for (domain, language), cell in sorted(cells.items()):
            path = f"data/{domain}/{language}/{split}-00000-of-00001.parquet"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            cell.sort(key=lambda one: one["id"])
            pq.write_table(pa.Table.from_pylist(cell), folder / path)
            files.append({"path": path, "rows": len(cell)})
    ids = sorted(one["id"] for rows in splits.values() for one in rows)
    digest = hashlib.sha256("".join(ids).encode()).hexdigest()[:32]
    manifest = {"artifact": "webfaq-domains", "files": files, "content_digest": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def standard(folder: Path) -> Path:
    """Write the folder that most tests read: 150 training pairs, unequal over languages."""
    train = {
        ("deu", "health"): 20, ("deu", "technology"): 30, ("deu", "travel"): 10, ("fra", "health"): 5,
        ("fra", "technology"): 25, ("swa", "health"): 8, ("swa", "travel"): 12, ("eng", "health"): 40,
    }  # fmt: skip
    validation = {
        ("deu", "health"): 6,
        ("deu", "technology"): 4,
        ("fra", "travel"): 4,
        ("eng", "health"): 3,
    }
    return write_pairs(folder, {"train": many(train), "validation": many(validation, 500)})
