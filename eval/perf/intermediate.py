"""Does every intermediate task beat its baseline on the real samples? Prints a table; minutes on a quiet CPU.

    OMP_NUM_THREADS=2 python perf/intermediate.py ENCODER ../../shared/data/intermediate OUT [TASK …]

The samples are small and mostly dev sets, so rows are split by hash, and a run is a few dozen steps:
it shows that a head learns, nothing about how good the task can get. Word embeddings are frozen.
SQuAD is shown on XQuAD's English questions, so that model must be thrown away.
"""

from __future__ import annotations

import sys
from pathlib import Path

from webfaq_eval.intermediate.run import train_intermediate
from webfaq_eval.intermediate.settings import Places, Settings

#: Task -> file of the samples, and settings that fit its length.
RUNS = {
    "mnli": ("mnli/generative_nli_dev.jsonl", {"steps": 60, "batch_size": 32, "max_length": 64, "dev_share": 0.06}),
    "squad_v1": ("squad/xquad.en.json", {"steps": 200, "batch_size": 8, "max_length": 192, "dev_share": 0.15}),
    "csqa": ("commonsenseqa/dev_rand_split.jsonl", {"steps": 200, "batch_size": 8, "dev_share": 0.2}),
    "hellaswag": ("hellaswag/hellaswag_val.sample1000.jsonl", {"steps": 200, "batch_size": 8, "max_length": 80, "dev_share": 0.2}),
    "cosmosqa": ("cosmosqa/valid.csv", {"steps": 200, "batch_size": 8, "max_length": 160, "dev_share": 0.1}),
    "anli": ("anli/generative_nli_test.jsonl", {"steps": 200, "batch_size": 16, "max_length": 128, "dev_share": 0.15}),
}  # fmt: skip


def main() -> None:
    encoder, data, out, *names = sys.argv[1:]
    print(
        "| task | train | dev | steps | metric | dev | baselines |\n|---|---|---|---|---|---|---|"
    )
    for task in names or RUNS:
        file, changes = RUNS[task]
        settings = Settings(task, learning_rate=1e-4, freeze_embeddings=True, **changes)
        places = Places(encoder, str(Path(data) / file), Path(out) / task)
        record = train_intermediate(settings, places)
        result, rows = record["results"][task], record["data"][task]
        baselines = ", ".join(f"{name} {value:.3f}" for name, value in result["baseline"].items())
        value = result["dev"][result["metric"]]
        print(
            f"| {task} | {rows['train']} | {rows['dev']} | {record['steps']} | {result['metric']} "
            f"| {value:.3f} | {baselines} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
