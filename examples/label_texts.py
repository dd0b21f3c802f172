"""Label FAQ pairs by domain, with the student that ships in the package.

`python examples/label_texts.py` shows two pairs of its own; `webfaq-domains label FILE` labels a file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

PAIRS = [
    {"question": "How do I reset my password?", "answer": "Click on the link that we mail you."},
    {
        "question": "Wie oft soll ich zur Zahnärztin?",
        "answer": "Eine Kontrolle im Halbjahr reicht.",
    },
]
with tempfile.TemporaryDirectory() as folder:
    rows, out = Path(folder) / "pairs.jsonl", Path(folder) / "labelled.jsonl"
    rows.write_text("".join(json.dumps(pair) + "\n" for pair in PAIRS), encoding="utf-8")
    subprocess.run(["webfaq-domains", "label", str(rows), "--out", str(out)], check=True)
    for line in out.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        sys.stdout.write(f"{pair['domain']} ({pair['domain_score']:.2f}): {pair['question']}\n")
