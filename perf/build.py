"""How fast is the build, beside the floor, `datasets` and datatrove?

    python perf/build.py FAQ_DIR --pairs 1000000 --workers 2

All do the same work on the same rows: clean, identify the language (300 characters), label by domain
with the builtin student, write Parquet by domain and language. The floor is the two fastText
`predict` passes alone, with the texts ready in memory. `datasets` also drops exact duplicates;
datatrove, whose deduplication is a pipeline of its own, does not. Every run is a fresh process; the
memory is that of its largest process. CPU seconds are those of all processes: they hold on a machine
that is not idle. datatrove's workers are not among the processes that it waits for, so its CPU and
memory are not seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from corpus import write_corpus

LID_CHARACTERS = 300


def steps():
    from webfaq_domains.steps.clean import Clean
    from webfaq_domains.steps.label import LabelDomain
    from webfaq_domains.steps.languages import IdentifyLanguage
    from webfaq_domains.steps.wellformed import KeepWellFormed

    return Clean(), KeepWellFormed(), IdentifyLanguage(characters=LID_CHARACTERS), LabelDomain()


def _floor_worker(job: tuple[str, int, int]) -> tuple[float, float]:
    import pyarrow.parquet as pq

    from webfaq_domains.ground.fasttext_models import language_model, load_fasttext
    from webfaq_domains.ground.text import pair_text
    from webfaq_domains.labelers.load import load_labeler
    from webfaq_domains.labelers.student import student_lines

    path, part, parts = job
    language, student = load_fasttext(str(language_model())), load_labeler("builtin")
    wall = cpu = 0.0
    parquet = pq.ParquetFile(path)
    for group in range(part, parquet.num_row_groups, parts):
        rows = parquet.read_row_group(group)
        first = [text + "\n" for text in pair_text(rows, LID_CHARACTERS)]
        second = student_lines(pair_text(rows, student.characters))
        started, used = time.perf_counter(), time.process_time()
        language.f.multilinePredict(first, 1, 0.0, "strict")
        student.model.f.multilinePredict(second, -1, 0.0, "strict")
        wall += time.perf_counter() - started
        cpu += time.process_time() - used
    return wall, cpu


def run_floor(path: str, out: str, workers: int) -> tuple[float, float]:
    """Return the wall seconds of the slower worker's predict calls, and the CPU seconds of all."""
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        spent = pool.map(_floor_worker, [(path, part, workers) for part in range(workers)])
    return max(wall for wall, _ in spent), sum(cpu for _, cpu in spent)


def run_ours(path: str, out: str, workers: int, near: bool = False) -> None:
    from webfaq_domains.builders.webfaq import build

    from webfaq_domains.dataset.build import BuildOptions

    recipe = Path(out).with_suffix(".toml")
    recipe.write_text(f"[near_duplicates]\nenabled = {str(near).lower()}\n")
    build(BuildOptions((path,), Path(out), recipe=recipe, workers=workers, quiet=True))


def run_ours_near(path: str, out: str, workers: int) -> None:
    run_ours(path, out, workers, near=True)


def _map_batch(batch):
    import pyarrow as pa

    for step in steps():
        batch = step(batch).kept
    return pa.table(batch)


def run_datasets(path: str, out: str, workers: int) -> None:
    """What a user of `datasets` would write: map, drop duplicates, select each cell, to_parquet."""
    import numpy as np
    from datasets import load_dataset

    from webfaq_domains.ground.text import both, match_hash

    with tempfile.TemporaryDirectory() as cache:
        rows = load_dataset("parquet", data_files=path, split="train", cache_dir=cache)
        rows = rows.with_format("arrow").map(
            _map_batch, batched=True, batch_size=10_000, num_proc=workers
        )
        table = rows.data.table
        pair = both(match_hash(table["question"]), match_hash(table["answer"]))
        first = np.sort(np.unique(pair, return_index=True)[1])
        rows = rows.select(first)
        cells = list(zip(rows["domain"].to_pylist(), rows["identified"].to_pylist(), strict=True))
        places: dict[tuple[str, str], list[int]] = {}
        for place, cell in enumerate(cells):
            places.setdefault(cell, []).append(place)
        for (domain, language), chosen in places.items():
            folder = Path(out) / domain / language
            folder.mkdir(parents=True)
            rows.select(chosen).to_parquet(folder / "train.parquet")


def run_datatrove(path: str, out: str, workers: int) -> None:
    """A datatrove pipeline: reader, one step per document, writer partitioned by cell."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter
    from trove_step import LabelDocuments, to_document

    folder = Path(out) / "parts"
    folder.mkdir(parents=True)
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(path)
    for part in range(workers):  # datatrove shares files, not row groups, among its tasks
        groups = list(range(part, parquet.num_row_groups, workers))
        pq.write_table(parquet.read_row_groups(groups), folder / f"{part}.parquet")
    LocalPipelineExecutor(
        pipeline=[
            ParquetReader(str(folder), adapter=to_document, batch_size=1000),
            LabelDocuments(LID_CHARACTERS),
            ParquetWriter(
                str(Path(out) / "data"),
                output_filename="${domain}/${language}/${rank}.parquet",
                compression="zstd",
                expand_metadata=True,
            ),
        ],
        tasks=workers,
        workers=workers,
        logging_dir=str(Path(out) / "logs"),
    ).run()


RUNS = {
    "floor": run_floor,
    "ours": run_ours,
    "ours_near": run_ours_near,
    "datasets": run_datasets,
    "datatrove": run_datatrove,
}


def measure(name: str, path: Path, workers: int) -> dict[str, float]:
    """Run one contender in a fresh process; return its seconds and its largest process in MB."""
    with tempfile.TemporaryDirectory() as folder:
        code = (
            "import json,resource,sys,time; sys.path.insert(0, sys.argv[1]); import build\n"
            "if __name__ == '__main__':\n"
            "    start = time.perf_counter()\n"
            "    spent = build.RUNS[sys.argv[2]](sys.argv[3], sys.argv[4], int(sys.argv[5]))\n"
            "    wall = time.perf_counter() - start\n"
            "    use = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]\n"
            "    cpu = sum(u.ru_utime + u.ru_stime for u in use)\n"
            "    wall, cpu = spent or (wall, cpu)\n"
            "    memory = [u.ru_maxrss / 1024 for u in use]\n"
            "    print(json.dumps({'wall': wall, 'cpu': cpu, 'driver_mb': memory[0], 'worker_mb': memory[1]}))\n"
        )
        script = Path(folder) / "run.py"
        script.write_text(code)
        here = str(Path(__file__).resolve().parent)
        command = [
            sys.executable,
            str(script),
            here,
            name,
            str(path),
            f"{folder}/out",
            str(workers),
        ]
        env = {**os.environ, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=env)
        if done.returncode:
            raise click.ClickException(f"{name}: {done.stderr[-2000:]}")
        return json.loads(done.stdout.strip().splitlines()[-1])


@click.command()
@click.argument("faq", type=click.Path(exists=True, path_type=Path))
@click.option("--pairs", default=1_000_000, show_default=True)
@click.option("--workers", default=os.cpu_count() or 1, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(RUNS)))
def main(faq: Path, pairs: int, workers: int, only: tuple[str, ...]) -> None:
    """Measure every contender on PAIRS resampled pairs and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.parquet"
        write_corpus(faq, path, pairs)
        found = {}
        print(f"{pairs:,} pairs, {workers} workers, {path.stat().st_size / 1e6:.0f} MB of Parquet")
        columns = (
            "wall s",
            "pairs/s",
            "cpu s",
            "floor/wall",
            "floor/cpu",
            "driver MB",
            "worker MB",
        )
        print(f"{'':12}" + "".join(f"{column:>11}" for column in columns))
        for name in only or RUNS:
            found[name] = one = measure(name, path, workers)
            floor = found.get("floor", one)
            print(
                f"{name:12}{one['wall']:>11.1f}{pairs / one['wall']:>11,.0f}{one['cpu']:>11.1f}"
                f"{floor['wall'] / one['wall']:>11.2f}{floor['cpu'] / one['cpu']:>11.2f}"
                f"{one['driver_mb']:>11.0f}{one['worker_mb']:>11.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
