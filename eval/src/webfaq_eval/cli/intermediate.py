"""The command `intermediate`: a thin shell over one library call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from webfaq_eval.intermediate.settings import NAMES, Settings

_PATH = click.Path(path_type=Path)


def _options(command: Any) -> Any:
    """Add the options; their defaults are those of the settings."""
    options = [
        click.option("--task", type=click.Choice(NAMES), required=True, help="anli is ANLI+."),
        click.option("--encoder", required=True, metavar="NAME[@REVISION]|DIR"),
        click.option("--data", required=True, metavar="DIR|FILE|hub", help="The task's files as released; a file is split by hash. `hub` downloads the public data set; needs --revision and a network."),
        click.option("--out", type=_PATH, required=True, help="The encoder folder to write."),
        click.option("--revision", "revisions", multiple=True, metavar="ORG/NAME=SHA", help="The commit of a Hub data set, 40 hex digits."),
        click.option("--language", default=Settings.language, show_default=True, help="Language of the rows; another than eng picks machine-translated files: <name>.deu.<ending> or .de., or a column `language`."),
        click.option("--seed", type=int, default=Settings.seed, show_default=True),
        click.option("--epochs", type=float, default=Settings.epochs, show_default=True),
        click.option("--steps", type=click.IntRange(0), default=Settings.steps, help="Instead of --epochs."),
        click.option("--batch-size", type=click.IntRange(1), default=Settings.batch_size, show_default=True, help="Rows of a step."),
        click.option("--micro-batch", type=click.IntRange(0), default=Settings.micro_batch, help="Rows in memory at once; the rest accumulates."),
        click.option("--learning-rate", type=float, default=Settings.learning_rate, show_default=True),
        click.option("--group-lengths", is_flag=True, help="Rows of like length in a batch: less padding, faster."),
        click.option("--max-length", type=click.IntRange(0), default=Settings.max_length, help="Tokens of an input; default 256, SQuAD 384."),
        click.option("--freeze-embeddings", is_flag=True, help="Do not train the word embeddings."),
        click.option("--limit", type=click.IntRange(1), help="At most so many training and dev rows."),
        click.option("--dev-share", type=float, default=Settings.dev_share, show_default=True, help="Share that is dev where no dev file is."),
        click.option("--mix-mlm", type=float, default=Settings.mix_mlm, help="Share of batches that are masked language."),
        click.option("--mlm-texts", type=_PATH, help="Texts for --mix-mlm: .txt, .jsonl, .parquet."),
        click.option("--benchmark", type=_PATH, help="A staged benchmark whose queries may not be trained on."),
        click.option("--evaluate-every", type=click.IntRange(0), default=Settings.evaluate_every, help="Steps between dev metrics in the curve."),
        click.option("--save-every", type=click.IntRange(1), default=Settings.save_every, show_default=True, help="Steps between checkpoints."),
        click.option("--device", help="cpu, cuda, …; default: what is there."),
        click.option("--json", "as_json", is_flag=True, help="Print the whole record as JSON."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


_PLACES = ("encoder", "data", "out", "revisions", "mlm_texts", "benchmark", "device")


@click.command()
@_options
def intermediate(as_json: bool, **options: Any) -> None:
    """Train an encoder on an intermediate task before it becomes a retriever.

    Killed or interrupted, the same command goes on where it stopped.

    \b
    Example:
      webfaq-eval intermediate --task mnli --encoder xlm-roberta-base --data multinli_1.0 --out xlmr-mnli
    """
    from webfaq_eval.intermediate.run import train_intermediate
    from webfaq_eval.intermediate.settings import Places

    places = Places(**{name: options.pop(name) for name in _PLACES})
    record = train_intermediate(Settings(**options), places)
    if as_json:
        click.echo(json.dumps(record, ensure_ascii=False, indent=1))
        return
    for task, result in record["results"].items():
        rows = record["data"][task]
        click.echo(f"{task}: {rows['train']:,} train, {rows['dev']:,} dev, {record['steps']} steps")
        for note in _left_out(rows):
            click.echo(f"  {note}")
        click.echo(f"  dev      {_shown(result['dev'])}\n  baseline {_shown(result['baseline'])}")
    click.echo(f"{places.out}: an encoder folder; its card is README.md")


def _left_out(rows: dict[str, Any]) -> list[str]:
    """Say which rows were not used and why, a line each."""
    counts = [f"left out: {count:,} {reason}" for reason, count in rows["skipped"].items()]
    return counts + list(rows["notes"])


def _shown(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items())
