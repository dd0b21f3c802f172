"""Draw how many sentences and questions of the benchmarks each domain has, from the judged labels.

    python docs/img/judged_domains.py docs/img/judged_domains.svg

Needs the extra `plot`. The numbers are those of `builders/judged/`; nothing is downloaded.
"""

from __future__ import annotations

import sys
from collections import Counter

import matplotlib.pyplot as plt

from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.retrieval.judged import read_labels, shipped_labels

PANELS = {"tatoeba": "Tatoeba, English sentences", "lareqa": "LAReQA, questions"}
CLEAR, DOUBTFUL = "#1f5a96", "#a9c6e3"


def counts(task: str) -> tuple[Counter[str], Counter[str]]:
    """Return how many clear and how many doubtful items each domain has."""
    domains = builtin_taxonomy().slugs
    path = shipped_labels(task)
    assert path is not None
    labels = read_labels(path, frozenset(domains)).labels
    # LAReQA's paragraphs have short keys (article-paragraph); only its questions are searched with.
    asked = [label for key, label in labels.items() if task != "lareqa" or "-" not in key]
    clear = Counter(label.domain for label in asked if not label.doubtful)
    return clear, Counter(label.domain for label in asked if label.doubtful)


def main(out: str) -> None:
    plt.rcParams.update({"font.size": 10, "svg.hashsalt": "judged", "svg.fonttype": "none"})
    figure, axes = plt.subplots(1, 2, figsize=(9.2, 3.4), layout="constrained")
    for axis, (task, title) in zip(axes, PANELS.items(), strict=True):
        clear, doubtful = counts(task)
        total = clear + doubtful
        order = sorted((slug for slug in total if slug != "other"), key=total.__getitem__)
        axis.barh(order, [clear[s] for s in order], color=CLEAR, label="one domain fits")
        axis.barh(
            order, [doubtful[s] for s in order], left=[clear[s] for s in order], color=DOUBTFUL,
            label="readers may differ",
        )  # fmt: skip
        for place, slug in enumerate(order):
            axis.text(total[slug], place, f" {total[slug]:,}", va="center")
        axis.set_title(
            f"{title}: {total.total():,}, of which other {total['other']:,}", fontsize=10
        )
        axis.set_xlim(0, max(total[s] for s in order) * 1.15)
        axis.spines[["top", "right"]].set_visible(False)
    axes[1].legend(frameon=False, loc="lower right")
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    main(sys.argv[1])
