"""Train the teacher: tune an encoder on pairs (SetFit, Tunstall et al. 2022), then fit its head.

SetFit (Tunstall et al. 2022) tunes an encoder on pairs of texts, alike when they share a class.
All pairs of 4,000 texts are 8 million; what matters is that every domain and language meets.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from webfaq_domains.ground.errors import LabelerError, MissingExtra
from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.calibration import calibrate, site_weights
from webfaq_domains.labelers.encoder import Reading, encode, freeze_word_embeddings
from webfaq_domains.labelers.folder import (
    TeacherFile,
    check_files,
    folder_files,
    read_file_of,
    write_labeler_file,
)
from webfaq_domains.labelers.measuring.labelled import Labelled, truth_table
from webfaq_domains.labelers.teacher import Head, Teacher, fit_head, teacher_files
from webfaq_domains.labelers.training.annotations import Annotation
from webfaq_domains.labelers.training.description import Description
from webfaq_domains.labelers.training.lexicon import Lexicon, known_truth, lexicon_terms


@dataclass(frozen=True)
class TeacherRecipe:
    """What decides the teacher's weights, besides its texts and body.

    `pairs` caps the contrastive sample (0 leaves the body as it is); `lexicon_weight` is what one
    term of a lexicon counts beside an annotation when the head is fitted.
    """

    pairs: int = 1600
    batch: int = 16
    tokens: int = 48
    rate: float = 2e-5
    warmup: float = 0.1
    freeze_word_embeddings: bool = True
    head_strength: float = 10.0
    lexicon_weight: float = 0.0
    seed: int = 20261101


@dataclass(frozen=True)
class Tuned:
    """A tuned body, its head, and what tuning saw."""

    body: Any
    head: Head
    pairs: int
    losses: tuple[float, ...]


def tune_body(
    body: Any, rows: Sequence[Annotation], reading: Reading, recipe: TeacherRecipe
) -> list[float]:
    """Tune a body in place with SetFit on a capped sample of pairs; return the loss of each step.

    The pairs are ours (`sample_pairs`): of SetFit's own, a quarter of those that are alike share only
    a second domain, and some domains are drawn twice as often as others. Torch refuses kernels that
    are not deterministic, so the same seed gives the same bits.
    """
    try:
        import torch
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments
    except ImportError as error:
        raise MissingExtra("setfit", "teacher") from error
    pairs = sample_pairs(rows, recipe.pairs, np.random.default_rng(recipe.seed))
    if not pairs:
        return []

    class PairTrainer(Trainer):
        def get_dataset(self, x: Any, y: Any, args: Any, max_pairs: int = -1) -> tuple[Any, Any]:
            drawn = [
                {"sentence_1": x[pair.left], "sentence_2": x[pair.right], "label": pair.alike}
                for pair in pairs
            ]
            return Dataset.from_list(drawn), args.loss(self.model.model_body)

    torch.use_deterministic_algorithms(True)
    if recipe.freeze_word_embeddings:
        freeze_word_embeddings(body)
    body.max_seq_length = recipe.tokens
    texts = reading.of([row.text for row in rows])
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, batch_size=recipe.batch, num_epochs=1,
            max_steps=-(-len(pairs) // recipe.batch), body_learning_rate=recipe.rate,
            warmup_proportion=recipe.warmup, seed=recipe.seed, logging_steps=1, report_to="none",
            save_strategy="no", show_progress_bar=len(pairs) >= 1000,
        )  # fmt: skip
        trainer = PairTrainer(model=SetFitModel(model_body=body), args=arguments)
        # Memory is pinned for a GPU; without one, torch warns that it is not.
        trainer.st_trainer.args.dataloader_pin_memory = torch.cuda.is_available()
        trainer.train_embeddings(texts, [row.domains[0] for row in rows], args=arguments)
    body.eval()
    body.max_seq_length = reading.tokens
    history = trainer.st_trainer.state.log_history
    return [entry["embedding_loss"] for entry in history if "embedding_loss" in entry]


def train_teacher(
    body: Any,
    rows: Sequence[Annotation],
    lexicon: Lexicon,
    domains: tuple[str, ...],
    how: tuple[Reading, TeacherRecipe],
) -> Tuned:
    """Tune a body on annotations, then fit the head on them and on the lexicon's terms.

    :raises LabelerError: if there are no annotations.
    """
    reading, recipe = how
    if not rows:
        raise LabelerError("there are no annotations to train a teacher on")
    losses = tune_body(body, rows, reading, recipe)
    terms = lexicon_terms(lexicon) if recipe.lexicon_weight > 0 else []
    texts = [row.text for row in rows] + [term for _, term in terms]
    truth = known_truth(rows, terms, domains)
    weights = [1.0] * len(rows) + [recipe.lexicon_weight] * len(terms)
    head = fit_head(encode(body, texts, reading), truth, weights, recipe.head_strength)
    return Tuned(body, head, recipe.pairs if losses else 0, tuple(losses))


@dataclass(frozen=True)
class TextPair:
    """Rows of two texts, and 1.0 if they are of one domain, 0.0 if they share none."""

    left: int
    right: int
    alike: float


def sample_pairs(
    rows: Sequence[Annotation], count: int, generator: np.random.Generator
) -> list[TextPair]:
    """Draw `count` pairs, every second one alike; domains take turns, languages mix by chance.

    The left text of pair i is of domain i modulo the domains met, so no domain is drowned. Two
    texts that share only a second domain are neither alike nor unlike and are not drawn.
    """
    by_domain: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        by_domain[row.domains[0]].append(number)
    slugs = sorted(by_domain)
    if len(slugs) < 2:
        return []
    pairs: list[TextPair] = []
    for number in range(count):
        slug = slugs[(number // 2) % len(slugs)]
        left = int(generator.choice(by_domain[slug]))
        if number % 2 == 0:
            pairs.append(TextPair(left, int(generator.choice(by_domain[slug])), 1.0))
            continue
        right = left
        while set(rows[left].domains) & set(rows[right].domains):
            right = int(generator.integers(len(rows)))
        pairs.append(TextPair(left, right, 0.0))
    return pairs


def stage_teacher(
    tuned: Tuned, folder: Path, description: Description, how: tuple[Reading, TeacherRecipe],
    held_out: Sequence[Labelled],
) -> Teacher:  # fmt: skip
    """Save body and head, calibrate on held-out rows, and describe the folder."""
    reading, recipe = how
    tuned.body.save_pretrained(str(folder), create_model_card=False)
    tuned.head.save(folder)
    domains = description.taxonomy.claimable
    setfit = {"labels": list(domains), "normalize_embeddings": False}
    (folder / "config_setfit.json").write_text(json.dumps(setfit, indent=1) + "\n", "utf-8")
    scores = tuned.head(encode(tuned.body, [row.text for row in held_out], reading))
    truth, weights = truth_table(held_out, domains), site_weights([row.origin for row in held_out])
    record = TeacherFile(
        **description.fields(calibrate(scores, truth, weights, description.rule)),
        model_sha256=value_sha256(teacher_files(folder_files(folder))),
        reading=reading,
        recipe=asdict(recipe),
    )
    write_labeler_file(folder, record)
    return Teacher.load(folder)


def reuse_teacher(made: Path, folder: Path, taxonomy: Taxonomy) -> Teacher:
    """Copy a teacher that was made before, without student, plots and exports of its own.

    :raises LabelerError: if the folder is no whole teacher, or was made for another taxonomy.
    """
    record = read_file_of(made, TeacherFile)
    if record.taxonomy_sha256 != taxonomy.sha256:
        raise LabelerError(f"{made} was made for another taxonomy; make the teacher anew")
    check_files(made, record.files, sorted(teacher_files(record.files)))
    for name in teacher_files(record.files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made / name, folder / name)
    write_labeler_file(folder, msgspec.structs.replace(record, cascade=None))
    return Teacher.load(folder)
