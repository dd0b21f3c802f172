"""`.eval_results/*.yaml` for a model's repository, which the Hub shows on its benchmark pages.

Values are 0..100, as on the Hub's leaderboards; task ids are those of the data set's `eval.yaml`.
"""

from __future__ import annotations

import re
from datetime import date

from webfaq_domains.ground.files import write_text
from webfaq_eval.errors import ResultError
from webfaq_eval.export.base import TASK_NAMES, Exported, Found, Request, one_protocol
from webfaq_eval.results import Result


def write(request: Request, results: list[Found]) -> Exported:
    """Write one file for each model and task, with an entry for each subset that `eval.yaml` may list.

    :raises ResultError: if the data set's Hub id is not given, or the date is no date.
    """
    import yaml  # type: ignore[import-untyped]
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    _check(request)
    one_protocol(results)
    done = Exported()
    files: dict[tuple[str, str], list[EvalResultEntry]] = {}
    for path, result in results:
        reason = _unlisted(result)
        if reason:
            done.left_out.append(f"{path.stem} of {result.model.name}: {reason}")
            continue
        task = TASK_NAMES[result.subset.task]
        entry = EvalResultEntry(
            dataset_id=str(request.dataset_id),
            task_id=f"{task}_{result.subset.name}_{result.subset.split}",
            value=round(100 * result.main.value, 4),
            dataset_revision=_git_sha(result),
            date=request.date,
            notes=_notes(result),
        )
        files.setdefault((result.model.folder, task), []).append(entry)
    for (model, task), entries in sorted(files.items()):
        target = request.out / model / ".eval_results" / f"{task}.yaml"
        listed = eval_result_entries_to_yaml(entries)
        write_text(target, yaml.safe_dump(listed, sort_keys=False, allow_unicode=True))
        done.files.append(target)
    return done


def _check(request: Request) -> None:
    if not request.dataset_id or not re.fullmatch(r"[\w.-]+/[\w.-]+", request.dataset_id):
        raise ResultError(
            f"the data set's Hub id is {request.dataset_id!r}; give it as --dataset-id <org>/<name>"
        )
    if request.date is not None:
        try:
            date.fromisoformat(request.date)
        except ValueError as error:
            raise ResultError(
                f"the date is {request.date!r}; expected such as 2026-11-22"
            ) from error


def _unlisted(result: Result) -> str | None:
    """Return why `eval.yaml` has no entry for a result, None if it may have."""
    subset = result.subset
    if (subset.membership, subset.pool, subset.split) != ("exclusive", "full", "test"):
        return "eval.yaml lists exclusive subsets of the test split over the full pool"
    if subset.direction != "forward":
        return "eval.yaml lists one direction, X to English"
    return None


def _git_sha(result: Result) -> str | None:
    """Return the data set's commit; a staged folder has a content digest instead, told in the notes."""
    revision = result.benchmark.revision
    return revision if re.fullmatch("[0-9a-f]{40}", revision) else None


def _notes(result: Result) -> str:
    main = result.main
    digest = "" if _git_sha(result) else f"; staged data set {result.benchmark.revision}"
    return (
        f"{main.metric}, 95 % interval {100 * main.low:.2f} to {100 * main.high:.2f}, n "
        f"{result.n.queries}; {result.protocol.text()}; model revision "
        f"{result.model.revision}{digest}"
    )
