"""What training is worth: nDCG@10 on web sites that training did not see, before and after.

    python perf/gain.py PAIRS ENCODER MODEL --query-prefix "query: " --passage-prefix "passage: "

Questions of the `test` split, not English, are searched in answers of their own language: the right
ones and distractors by hash. The interval is of the paired difference, by cluster bootstrap
over questions, and over web sites, which is the stricter one: there are few.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import numpy as np
from webfaq_eval.pairs.conditions import ENGLISH
from webfaq_eval.pairs.pairs import PairFolder, id_order, open_pairs, read_index
from webfaq_eval.pairs.texts import PairTexts, gather_texts
from webfaq_eval.statistics.intervals import difference_bootstrap
from webfaq_eval.training.embedders import TextEmbedder
from webfaq_eval.training.encoder import open_encoder
from webfaq_eval.training.settings import EncoderSettings, RetrievalSettings
from webfaq_eval.training.validation import make_retrieval


def texts_of(pairs: PairFolder, split: str, folder: Path, english: bool) -> PairTexts:
    index = read_index(pairs, split)
    ids = index.ids[index.is_language(ENGLISH) == english]
    return gather_texts(pairs, split, ids[id_order(ids)], folder / f"{split}.arrow")


@click.command()
@click.argument("pairs")
@click.argument("encoder")
@click.argument("models", nargs=-1, required=True)
@click.option("--query-prefix", default="")
@click.option("--passage-prefix", default="")
@click.option("--max-length", default=96, show_default=True)
@click.option("--questions", default=20, show_default=True, help="Per language, at most.")
@click.option("--distractors", default=10, show_default=True, help="Per language, at most.")
@click.option("--english", is_flag=True, help="Ask in English instead.")
def main(
    pairs: str, encoder: str, models: tuple[str, ...], query_prefix: str, passage_prefix: str,
    max_length: int, questions: int, distractors: int, english: bool,
) -> None:  # fmt: skip
    """Print n, nDCG@10 before and after, and the interval of the difference."""
    source = open_pairs(pairs)
    wanted = RetrievalSettings(questions, distractors)
    scores = {}
    with tempfile.TemporaryDirectory() as folder:
        asked, train = (texts_of(source, s, Path(folder), english) for s in ("test", "train"))
        retrieval = make_retrieval(asked, train, (query_prefix, passage_prefix), wanted)
        if retrieval is None:
            raise click.ClickException(f"the test split of {pairs} has nothing to ask")
        for name in (encoder, *models):
            settings = EncoderSettings(name, "full", query_prefix, passage_prefix, max_length)
            embedder = TextEmbedder(open_encoder(settings, "cpu").model)
            scores[name] = retrieval.score(embedder, (retrieval.questions, retrieval.answers))
    sizes = [len(pool.answers) for pool in retrieval.pools]
    print(
        f"n = {len(retrieval)} questions, {len(retrieval.pools)} languages, "
        f"{len(set(retrieval.origins))} sites, pools of {min(sizes)} to {max(sizes)} answers"
    )
    for name in models:
        show(name, scores[encoder], scores[name], retrieval.domains, retrieval.origins)


def show(name: str, before, after, domains: list[str], origins: list[str]) -> None:
    print(f"\n{name}: nDCG@10 {before.mean():.4f} -> {after.mean():.4f}")
    gain = after - before
    for what, clusters in (("questions", [str(n) for n in range(len(gain))]), ("sites", origins)):
        low, high = difference_bootstrap(gain, clusters)
        print(f"  difference {gain.mean():+.4f}, 95 % over {what} [{low:+.4f}, {high:+.4f}]")
    for kind, names in (("domain", np.array(domains)), ("site", np.array(origins))):
        for one in sorted(set(names.tolist())):
            rows = names == one
            print(
                f"  {kind} {one:36} n {rows.sum():4} {before[rows].mean():.4f} {gain[rows].mean():+.4f}"
            )


if __name__ == "__main__":
    main()
