"""Train the teacher: tune an encoder on pairs (SetFit, Tunstall et al. 2022), then fit its head.

SetFit (Tunstall et al. 2022) tunes an encoder on pairs of texts, alike when they share a class.
All pairs of 4,000 texts are 8 million; what matters is that every domain and language meets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from webfaq_domains.ground.errors import LabelerError, MissingExtra
from webfaq_domains.labelers.encoder import Reading, encode, freeze_words
from webfaq_domains.labelers.teacher import Head, fit_head
from webfaq_domains.labelers.training.annotations import Annotation
from webfaq_domains.labelers.training.lexicon import Lexicon
from webfaq_domains.labelers.training.words import known_truth, lexicon_terms


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


def _seed(seed: int) -> None:
    """Seed torch and refuse its nondeterministic kernels: the same run gives the same bits."""
    import torch

    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)


def _batch_loss(body: Any, texts: Sequence[str], batch: Sequence[TextPair]) -> Any:
    """Return the cosine loss of one batch: squared distance of cosine similarity to 1 or 0."""
    import torch

    sides = [texts[pair.left] for pair in batch] + [texts[pair.right] for pair in batch]
    features = body.preprocess(sides) if hasattr(body, "preprocess") else body.tokenize(sides)
    features = {
        name: value.to(body.device) if hasattr(value, "to") else value
        for name, value in features.items()
    }
    vectors = body(features)["sentence_embedding"]
    left, right = vectors[: len(batch)], vectors[len(batch) :]
    wanted = torch.tensor([pair.alike for pair in batch], device=vectors.device)
    similarity = torch.nn.functional.cosine_similarity(left, right)
    return torch.nn.functional.mse_loss(similarity, wanted)


def tune_body(
    body: Any, rows: Sequence[Annotation], reading: Reading, recipe: TeacherRecipe
) -> list[float]:
    """Tune a body in place on a capped sample of pairs; return the loss of each step."""
    try:
        import torch
        from tqdm import tqdm
    except ImportError as error:
        raise MissingExtra("torch", "teacher") from error
    pairs = sample_pairs(rows, recipe.pairs, np.random.default_rng(recipe.seed))
    if not pairs:
        return []
    _seed(recipe.seed)
    if recipe.freeze_word_embeddings:
        freeze_words(body)
    body.max_seq_length = recipe.tokens
    texts = reading.of([row.text for row in rows])
    trained = [parameter for parameter in body.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, weight_decay=0.01)
    starts = range(0, len(pairs), recipe.batch)
    ramp = max(1, int(recipe.warmup * len(starts)))
    losses = []
    body.train()
    for step, start in enumerate(tqdm(starts, desc="tuning", unit="step", disable=None)):
        for group in optimizer.param_groups:
            left = (len(starts) - step) / max(1, len(starts) - ramp)
            group["lr"] = recipe.rate * min((step + 1) / ramp, left, 1.0)
        optimizer.zero_grad()
        loss = _batch_loss(body, texts, pairs[start : start + recipe.batch])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    body.eval()
    body.max_seq_length = reading.tokens
    return losses


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
