"""An XTREME prediction folder: what its `evaluate.py` scores (google-research/xtreme, 838c13b).

`tatoeba/test-xx.tsv`: for each English sentence, in the order of its text, the line number (from 0) of
the foreign sentence found: XTREME sorts the English side and searches it in the foreign one
(utils_preprocess.py, utils_retrieve.py), our direction `reverse`. `mewslix/test-xx.json`: mention ->
the 20 best entities. `bucc2018/test-xx.tsv`: the mined pairs. LAReQA is not scored there.
"""

from __future__ import annotations

import json
from pathlib import Path

from webfaq_domains.ground.files import write_text
from webfaq_domains.ground.languages import languages
from webfaq_eval.benchmark.folder import Benchmark, open_benchmark
from webfaq_eval.errors import ResultError
from webfaq_eval.export.base import Exported, Found, Request, model_folder, one_protocol, run_of
from webfaq_eval.results import Result, read_queries

_DEPTH = 20


def write(request: Request, results: list[Found]) -> Exported:
    """Write the predictions of whole languages over the full pool of the test split.

    Domain subsets have no official label file and are left out, as LAReQA and Tatoeba's other direction.

    :raises ResultError: if Tatoeba is among the results and no benchmark is named: the order of the
        lines is that of the English texts, which results do not hold; or it is another revision.
    """
    one_protocol(results)
    done, benchmark = Exported(), None
    for path, result in results:
        reason = _unofficial(result)
        if reason:
            done.left_out.append(f"{path.stem} of {result.model.name}: {reason}")
            continue
        task = result.subset["task"]
        if task == "tatoeba":
            benchmark = benchmark or _benchmark(request, result)
            name, text = "tatoeba/test-{}.tsv", tatoeba_lines(path, result, benchmark)
        elif task == "mewslix":
            name, text = "mewslix/test-{}.json", _mewslix(path)
        else:
            name, text = "bucc2018/test-{}.tsv", _bucc(path)
        target = (
            request.out
            / model_folder(result)
            / name.format(_two_letters(result.subset["language"]))
        )
        write_text(target, text)
        done.files.append(target)
    return done


def _unofficial(result: Result) -> str | None:
    subset = result.subset
    if subset["task"] not in ("tatoeba", "mewslix", "bucc"):
        return f"XTREME's evaluator does not score {subset['task']}"
    if subset["domain"] or subset["pool"] != "full" or subset["split"] != "test":
        return "XTREME has no labels for a part of its test set"
    if subset["task"] == "tatoeba" and subset["direction"] != "reverse":
        return "XTREME searches English sentences among foreign ones (direction reverse)"
    return None


def _two_letters(language: str) -> str:
    known = languages().get(language)
    if known is None or not known.iso1:
        raise ResultError(f"{language} has no ISO 639-1 code, which XTREME's file names need")
    return known.iso1


def _benchmark(request: Request, result: Result) -> Benchmark:
    if request.benchmark is None:
        raise ResultError(
            "XTREME's Tatoeba files follow the order of the English texts, which results do not hold: "
            "name the data set with --benchmark"
        )
    benchmark = open_benchmark(request.benchmark)
    if benchmark.revision != result.benchmark.revision:
        raise ResultError(
            f"the results are of {result.benchmark.name} {result.benchmark.revision[:12]}, "
            f"{request.benchmark} is {benchmark.revision[:12]}; name the revision that was scored"
        )
    return benchmark


def tatoeba_lines(path: Path, result: Result, benchmark: Benchmark) -> str:
    """Return one line number for each English sentence, the sentences sorted by their text."""
    data = benchmark.subset(result.subset["name"], result.subset["split"]).load("reverse")
    found = {query: candidates[0] for query, candidates, _ in run_of(path)}
    # Ids are zero-padded line numbers, so that sorted ids are the lines of the released files.
    line = {name: number for number, name in enumerate(data.corpus.ids)}
    english = sorted(
        zip(data.queries.texts, data.queries.ids, strict=True), key=lambda pair: pair[0]
    )
    lacking = [name for _, name in english if name not in found or found[name] not in line]
    if lacking:
        raise ResultError(
            f"{path} has no answer for {len(lacking)} sentences, first {lacking[0]!r}"
        )
    return "".join(f"{line[found[name]]}\n" for _, name in english)


def _mewslix(path: Path) -> str:
    best = {query: candidates[:_DEPTH] for query, candidates, _ in run_of(path)}
    return json.dumps(best, ensure_ascii=False, indent=1) + "\n"


def _bucc(path: Path) -> str:
    """Return the pairs whose margin reached the threshold: those that F1 counts as predicted."""
    predicted = read_queries(path)["official/predicted"].to_pylist()
    rows = zip(run_of(path), predicted, strict=True)
    return "".join(f"{query}\t{candidates[0]}\n" for (query, candidates, _), kept in rows if kept)
