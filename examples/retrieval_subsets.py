"""Load a retrieval subset: `python examples/retrieval_subsets.py [FOLDER or ORG/NAME] [SUBSET]`.

Queries, candidates and right pairs are three configs of one subset.
"""

from __future__ import annotations

import sys

from datasets import load_dataset

place = sys.argv[1] if len(sys.argv) > 1 else "benchmark"
subset = sys.argv[2] if len(sys.argv) > 2 else "webfaq_deu"
parts = {
    part: load_dataset(place, f"{subset}-{part}", split="test")
    for part in ("queries", "corpus", "qrels")
}
texts = dict(zip(parts["corpus"]["id"], parts["corpus"]["text"], strict=True))
right = dict(zip(parts["qrels"]["query-id"], parts["qrels"]["corpus-id"], strict=True))
query = parts["queries"][0]
sys.stdout.write(f"{ {part: len(rows) for part, rows in parts.items()} }\n")
sys.stdout.write(f"{query['domain']}: {query['text']} -> {texts[right[query['id']]]}\n")
