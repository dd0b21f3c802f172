"""Train and score retrievers on domain subsets, with intervals and paired tests.

Eight functions and their settings are public; the commands are thin shells over them. They are
imported when they are first asked for, so that `import webfaq_eval` costs nothing:

>>> from pathlib import Path
>>> from webfaq_eval import Request, Settings, compare, score, write_report
>>> request = Request(Settings("random"), benchmark, Path("results"), patterns=("webfaq_deu",))
>>> (path, result), = score(request, quiet=True).results
>>> result.main.metric, result.n.queries
('ndcg_at_10', 24)
>>> other = score(Request(Settings("random", seed=1), benchmark, Path("results"), patterns=("webfaq_deu",)), quiet=True)
>>> baseline = path.parents[2]
>>> compare([baseline, other.results[0][0].parents[2]], quiet=True).cells[0].n
24
>>> write_report(Path("results"), Path("report"), baseline=baseline, quiet=True).models
2

A retriever that is trained on one domain of a folder of pairs is a sentence-transformers model:

>>> from webfaq_eval import train
>>> from webfaq_eval.training.settings import DataSettings, EncoderSettings, Schedule, TrainSettings
>>> settings = TrainSettings(
...     DataSettings(pairs, "in-domain:health"), EncoderSettings(encoder, "head", max_length=32),
...     batch_size=4, schedule=Schedule(steps=2),
... )
>>> trained = train(settings, Path("model"))
>>> score(Request(Settings("model"), benchmark, Path("results"), patterns=("webfaq_deu",)), quiet=True).kept
0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webfaq_eval.experiment.run import run_experiment as run_experiment
    from webfaq_eval.export.base import export_results as export_results
    from webfaq_eval.intermediate.run import train_intermediate as train_intermediate
    from webfaq_eval.mining.mine import mine as mine
    from webfaq_eval.models.encoder import Settings as Settings
    from webfaq_eval.report.build import write_report as write_report
    from webfaq_eval.scoring.score import Request as Request
    from webfaq_eval.scoring.score import score as score
    from webfaq_eval.statistics.compare import compare as compare
    from webfaq_eval.training.train import train as train

#: Public name -> the module that has it.
_PLACES = {
    "Request": "webfaq_eval.scoring.score",
    "Settings": "webfaq_eval.models.encoder",
    "compare": "webfaq_eval.statistics.compare",
    "export_results": "webfaq_eval.export.base",
    "mine": "webfaq_eval.mining.mine",
    "run_experiment": "webfaq_eval.experiment.run",
    "score": "webfaq_eval.scoring.score",
    "train": "webfaq_eval.training.train",
    "train_intermediate": "webfaq_eval.intermediate.run",
    "write_report": "webfaq_eval.report.build",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__
