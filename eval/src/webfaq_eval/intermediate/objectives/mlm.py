"""Masked language modelling: guess the hidden tokens (Devlin et al. 2019). Metric: accuracy over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from webfaq_eval.errors import ModelError
from webfaq_eval.intermediate.objectives.base import IGNORED, Encoding, Objective, Outputs
from webfaq_eval.intermediate.tasks.instances import Text

MASKED = 0.15  # share of the tokens that are guessed
REPLACED, RANDOM = 0.8, 0.1  # of these: by the mask, by another token; the rest stay


@dataclass
class MaskedLanguage(Objective):
    """15 % of the tokens are guessed: 80 % of them masked, 10 % replaced, 10 % left as they are.

    `place` is where the encoder was loaded from: its own language head is used where it has one.
    """

    encoding: Encoding
    place: str
    metric = "accuracy"

    def head(self, encoder: Any) -> nn.Module:
        """Return the encoder's language head, tied to its embeddings.

        :raises ModelError: if the encoder's architecture has none, or the tokenizer no mask.
        """
        from transformers import AutoModelForMaskedLM

        if self.encoding.tokenizer.mask_token_id is None:
            raise ModelError(f"{self.place}: its tokenizer has no mask token; MLM needs one")
        try:
            whole = AutoModelForMaskedLM.from_pretrained(
                self.place, use_safetensors=True, dtype=torch.float32
            )
        except (OSError, ValueError) as error:
            raise ModelError(f"{self.place}: has no masked language model: {error}") from error
        head = getattr(whole, "lm_head", None) or getattr(whole, "cls", None)
        if not isinstance(head, nn.Module):
            raise ModelError(
                f"{self.place}: the language head of {type(whole).__name__} is not known"
            )
        whole.get_output_embeddings().weight = encoder.get_input_embeddings().weight
        return head

    def batch(self, features: Sequence[Text], chance: np.random.Generator) -> dict[str, Tensor]:
        encoded = self.encoding([one.text for one in features], return_special_tokens_mask=True)
        ids = encoded["input_ids"]
        special = encoded["special_tokens_mask"].bool()
        drawn = torch.from_numpy(chance.random((2, *ids.shape)))
        guessed = (drawn[0] < MASKED) & ~special
        labels = torch.where(guessed, ids, IGNORED)
        words = torch.from_numpy(chance.integers(len(self.encoding.tokenizer), size=ids.shape))
        mask = torch.full_like(ids, self.encoding.tokenizer.mask_token_id)
        shown = torch.where(guessed & (drawn[1] < REPLACED), mask, ids)
        replaced = guessed & (drawn[1] >= REPLACED) & (drawn[1] < REPLACED + RANDOM)
        inputs = self.encoding.inputs(encoded)
        return {**inputs, "input_ids": torch.where(replaced, words, shown), "labels": labels}

    def logits(self, hidden: Tensor, head: nn.Module, batch: Mapping[str, Any]) -> Tensor:
        """Return the scores of the vocabulary for the guessed tokens alone: (guessed, vocabulary)."""
        found: Tensor = head(hidden[batch["labels"] != IGNORED])
        return found

    def loss(self, logits: Tensor, batch: Mapping[str, Any]) -> Tensor:
        labels = batch["labels"]
        right = labels[labels != IGNORED]
        # Of very short texts none may be guessed; a sum keeps such a batch's loss 0 and not NaN.
        loss = nn.functional.cross_entropy(logits.float(), right, reduction="sum")
        return loss / max(1, len(right))

    def scores(self, outputs: Outputs, instances: Sequence[Any]) -> dict[str, float]:
        right, loss, count = 0, 0.0, 0
        for _, batch, logits in outputs:
            labels = batch["labels"][batch["labels"] != IGNORED]
            right += int((logits.argmax(-1) == labels).sum())
            loss += float(self.loss(logits, batch)) * len(labels)
            count += len(labels)
        return {"accuracy": right / max(1, count), "loss": loss / max(1, count)}

    def baseline(self, train: Sequence[Any], dev: Sequence[Any]) -> dict[str, float]:
        """Return the share of the training texts' most frequent token among the dev texts' tokens."""
        common = self._tokens(train[:20_000]).most_common(1)[0][0]
        there = self._tokens(dev)
        return {
            "majority": there[common] / there.total(),
            "random": 1 / len(self.encoding.tokenizer),
        }

    def _tokens(self, instances: Sequence[Text]) -> Counter[int]:
        tokenizer = self.encoding.tokenizer
        texts = [one.text for one in instances]
        cut = {"truncation": True, "max_length": self.encoding.max_length}
        ids = tokenizer(texts, add_special_tokens=False, **cut)["input_ids"]
        return Counter(token for row in ids for token in row)
