"""Commands over models: score, verify. Each is a thin shell over one library call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from webfaq_eval.models.encoder import DTYPES, POOLINGS, Settings

_PATH = click.Path(path_type=Path)
_LAYER = "N|sweep"


def _layer(_: click.Context, __: click.Parameter, value: str | None) -> int | str | None:
    if value is None or value == "sweep":
        return value
    try:
        return int(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is neither a number nor `sweep`") from error


_MODEL = (
    click.option("--model", required=True, metavar="NAME|DIR", help="org/name[@rev], a folder, bm25 or random."),
    click.option("--benchmark", required=True, metavar="DIR", help="A staged folder or org/name@rev."),
    click.option("--query-prefix", metavar="TEXT", help="Put before each query [default: the model's own prompt, or none]."),
    click.option("--passage-prefix", metavar="TEXT", help="Put before each candidate [default: the model's own prompt, or none]."),
    click.option("--max-length", type=click.IntRange(1), help="Tokens that texts are cut to [default: the model's]."),
    click.option("--dtype", type=click.Choice(DTYPES), default="auto", show_default=True),
    click.option("--device", metavar="cpu|cuda", help="[default: cuda where there is one]"),
    click.option("--vectors", type=_PATH, help="Where vectors are kept [default: OUT.vectors]."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)  # fmt: skip
_SCORE = (
    click.option("--subset", "patterns", multiple=True, metavar="GLOB", help="Repeatable [default: all]."),
    click.option("--pooling", type=click.Choice(POOLINGS), help="Of a raw checkpoint."),
    click.option("--layer", callback=_layer, metavar=_LAYER, help="Block of a raw checkpoint, from 1 [default: last]."),
    click.option("--held-out", default="", metavar="LANG,LANG", help="Languages that a sweep chooses the layer on."),
    click.option("--pool", type=click.Choice(["full", "domain"]), default="full", show_default=True),
    click.option("--index", default="exact", show_default=True, metavar="FACTORY", help="exact, or a FAISS factory string."),
    click.option("--seed", default=0, show_default=True, help="Of the random baseline."),
    click.option("--out", type=_PATH, default=Path("results"), show_default=True),
)  # fmt: skip


def _with(options: tuple[Any, ...]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _show(result: Any, as_json: bool) -> None:
    shown = json.dumps(result.to_json(), ensure_ascii=False, indent=1) if as_json else result.text()
    click.echo(shown)


def _settings(options: dict[str, Any]) -> Settings:
    """Take the options that say how the model is used out of all options."""
    names = [name for name in Settings.__dataclass_fields__ if name in options]
    return Settings(**{name: options.pop(name) for name in names})


@click.command()
@_with(_MODEL + _SCORE)
def score(as_json: bool, held_out: str, layer: int | str | None, **options: Any) -> None:
    """Score a model on the subsets of a data set, with intervals; resumable.

    \b
    Example:
      webfaq-eval score --model intfloat/multilingual-e5-small --benchmark xtreme-r \\
        --subset 'tatoeba_*' --query-prefix 'query: ' --passage-prefix 'query: '
    """
    from webfaq_eval.scoring.layers import score_swept
    from webfaq_eval.scoring.score import Request, score

    options["layer"] = None if layer == "sweep" else layer
    request = Request(_settings(options), **options)
    if layer == "sweep" or held_out:
        _show(score_swept(request, held_out, layer, quiet=as_json), as_json)
    else:
        _show(score(request, quiet=as_json), as_json)


@click.command()
@_with(_MODEL)
@click.option("--expected", type=_PATH, help="A table of your own [default: the package's].")
@click.option("--out", type=_PATH, default=Path("results"), show_default=True)
@click.pass_context
def verify(ctx: click.Context, /, as_json: bool, expected: Path | None, **options: Any) -> None:
    """Hold scores against a table of published ones: OK or FAIL for each; exit 1 on FAIL.

    \b
    Example:
      webfaq-eval verify --model intfloat/multilingual-e5-small --benchmark xtreme-r \\
        --query-prefix 'query: ' --passage-prefix 'query: '
    """
    from webfaq_eval.scoring.score import Request
    from webfaq_eval.scoring.verify import verify as check

    result = check(Request(_settings(options), **options), expected, quiet=as_json)
    _show(result, as_json)
    ctx.exit(0 if result.fine else 1)
