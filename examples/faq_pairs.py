"""Load FAQ pairs by domain: `python examples/faq_pairs.py [FOLDER or ORG/NAME] [CONFIG]`."""

from __future__ import annotations

import sys
from collections import Counter

from datasets import load_dataset

place = sys.argv[1] if len(sys.argv) > 1 else "webfaq-domains-demo"
config = sys.argv[2] if len(sys.argv) > 2 else "health"
pairs = load_dataset(place, config, split="train")
sys.stdout.write(f"{len(pairs)} pairs: {dict(Counter(pairs['language']))}\n")
for pair in pairs.select(range(min(3, len(pairs)))):
    sys.stdout.write(f"{pair['language']} {pair['domain_score']:.2f} {pair['question']}\n")
