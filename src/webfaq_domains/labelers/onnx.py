"""Export the teacher's encoder to ONNX with 8-bit weights, for faster labelling on a CPU."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.ground.errors import LabelerError, MissingExtra
from webfaq_domains.labelers.encoder import Vectors
from webfaq_domains.labelers.teacher import Teacher

ONNX_FILE = "onnx/model_quantized.onnx"


@dataclass(frozen=True)
class OnnxReport:
    """What the export gains and costs, measured on `rows` texts, both on one thread setting."""

    rows: int
    torch_rows_per_second: float
    onnx_rows_per_second: float
    speed_up: float
    same_domain: float
    largest_difference: float
    bytes: int


def _wrapped(transformer: Any) -> Any:
    """Return the transformer as a module from ids and mask to token vectors."""
    import torch

    class TokenVectors(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = transformer

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            found = self.model(input_ids=input_ids, attention_mask=attention_mask)
            return found.last_hidden_state

    return TokenVectors().eval()


def _is_mean_pooled(body: Any) -> bool:
    """Say whether a body is transformer, mean pooling, normalisation: what `OnnxBody` does."""
    if [type(module).__name__ for module in body] != ["Transformer", "Pooling", "Normalize"]:
        return False
    pooling = body[1]
    mode = getattr(pooling, "pooling_mode", None) or pooling.get_pooling_mode_str()
    return mode in ("mean", ["mean"], ("mean",))


def export_onnx(teacher: Teacher, folder: Path) -> Path:
    """Write `onnx/model_quantized.onnx` (dynamic int8) under a teacher's folder.

    :raises LabelerError: if the encoder pools otherwise than `OnnxBody` does.
    """
    try:
        import torch
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingExtra("onnxruntime", "onnx") from error
    if not _is_mean_pooled(teacher.body):
        raise LabelerError("only encoders with mean pooling and unit length are exported to ONNX")
    target = folder / ONNX_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    plain = target.with_name("plain.onnx")
    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: "rows", 1: "tokens"}
    with torch.no_grad(), warnings.catch_warnings():
        # The newer exporter needs a further package; the older one warns that it is older.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _wrapped(teacher.body[0].auto_model).cpu(),
            (ids, torch.ones_like(ids)),
            str(plain),
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "last_hidden_state": axes},
            opset_version=17,
            dynamo=False,
        )
    quantize_dynamic(str(plain), str(target), weight_type=QuantType.QInt8)
    plain.unlink()
    return target


class OnnxBody:
    """An exported encoder behind the one method that `encode` calls: mean pooling, unit length."""

    def __init__(self, path: Path, tokenizer: Any, tokens: int) -> None:
        try:
            from onnxruntime import InferenceSession
        except ImportError as error:
            raise MissingExtra("onnxruntime", "onnx") from error
        self.session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.tokenizer, self.tokens = tokenizer, tokens

    def encode(self, texts: Sequence[str], batch_size: int = 64, **_: Any) -> Vectors:
        """Return unit vectors in the order given; batches are made of texts of like length."""
        order = np.argsort([-len(text) for text in texts], kind="stable")
        parts = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        out = np.concatenate([self._batch([texts[i] for i in part]) for part in parts])
        found = np.empty_like(out)
        found[order] = out
        return found

    def _batch(self, texts: list[str]) -> Vectors:
        fed = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.tokens, return_tensors="np"
        )
        mask = fed["attention_mask"].astype(np.int64)
        (hidden,) = self.session.run(
            None, {"input_ids": fed["input_ids"].astype(np.int64), "attention_mask": mask}
        )
        pooled = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        vectors: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return vectors.astype(np.float32)


def compare_onnx(teacher: Teacher, path: Path, texts: list[str]) -> OnnxReport:
    """Measure an export against the teacher it came from, on the same texts."""
    body = OnnxBody(path, teacher.body.tokenizer, teacher.reading.tokens)
    timed = []
    for labeler in (teacher, replace(teacher, body=body)):
        labeler.label(texts[:8])
        start = time.perf_counter()
        found = labeler.label(texts)
        timed.append((found, len(texts) / (time.perf_counter() - start)))
    (plain, slow), (small, fast) = timed
    same = np.mean([a == b for a, b in zip(plain.domain, small.domain, strict=True)])
    apart = np.abs(plain.probabilities - small.probabilities).max()
    return OnnxReport(
        len(texts), round(slow, 1), round(fast, 1), round(fast / slow, 2), float(same),
        round(float(apart), 4), path.stat().st_size,
    )  # fmt: skip
