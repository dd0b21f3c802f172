"""Build the demo: a small data set from the sample in `sample/`, which this project wrote.

    webfaq-domains demo

12 languages in 8 scripts, 9 domains, a few dirty rows, labelled by the builtin student.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from webfaq_domains.builders.webfaq import build

from webfaq_domains.dataset.build import BuildOptions, Built
from webfaq_domains.dataset.check import Checked, check_dataset
from webfaq_domains.dataset.layout import configs_of, shown_config
from webfaq_domains.ground.errors import StagedError

#: What differs from `webfaq.toml`: a sample this small has configs for small cells and larger splits.
RECIPE = """
[about]
pretty_name = "webfaq-domains demo"
license = "apache-2.0"
contact = "the maintainers of webfaq-domains"

[split]
validation = 0.15
test = 0.15

[configs]
min_rows = 1
most = 24
"""


@dataclass(frozen=True)
class Demo:
    """What the demo built, the check of it, and how many rows have the domain they were written for."""

    built: Built
    checked: Checked
    agreement: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return {**self.built.to_json(), "check": self.checked.to_json(), **self.agreement}

    def text(self) -> str:
        out = self.built.out
        config = shown_config(configs_of(self.built.manifest)).name
        agreement = self.agreement["agreement_with_intended_domain"]
        return f"""{self.built.text()}
{self.checked.text()}
{agreement:.0%} of the rows have the domain that they were written for

from datasets import load_dataset
pairs = load_dataset({json.dumps(str(out))}, "{config}", split="train")
print(pairs[0]["question"], "->", pairs[0]["domain"])"""


def build_demo(out: Path, quiet: bool = False) -> Demo:
    """Build the sample into `out`, check it, and return both.

    :raises StagedError: if the check finds a problem.
    """
    with (
        as_file(files("webfaq_domains.builders") / "sample") as sample,
        tempfile.TemporaryDirectory() as folder,
    ):
        recipe = Path(folder) / "demo.toml"
        recipe.write_text(RECIPE, encoding="utf-8")
        workers = os.cpu_count() or 1
        built = build(
            BuildOptions((str(sample),), out, recipe=recipe, workers=workers, quiet=quiet)
        )
    checked = check_dataset(out, quiet=quiet)
    if not checked.fine:
        raise StagedError(checked.text())
    return Demo(built, checked, {"agreement_with_intended_domain": _agreement(out)})


def _agreement(out: Path) -> float:
    """Return the share of rows labelled with the domain that their id in the sample names."""
    import pyarrow.parquet as pq

    right = total = 0
    for path in sorted(out.glob("data/*/*/*.parquet")):
        rows = pq.read_table(path, columns=["source_id", "domain"]).to_pylist()
        total += len(rows)
        right += sum(row["source_id"].split("-")[1] == row["domain"] for row in rows)
    return right / total
