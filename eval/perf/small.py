"""Make a small XLM-R of random weights that a CPU can train, and the texts to train it on.

    python perf/small.py TOKENIZER PAIRS OUT [--layers 4] [--dims 128] [--least 10]

TOKENIZER is an encoder folder or name with XLM-R's tokenizer (its weights are not used), PAIRS a staged
`webfaq-domains` folder. OUT/texts.txt gets its train split, all languages, in lines of about 60 tokens;
OUT/random a sentence-transformers folder with mean pooling. The vocabulary is cut to the pieces that
occur `--least` times in the texts and the single letters: most of the time of masked language modelling
would go into a softmax over 250,000 pieces.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm
from webfaq_eval.intermediate.encoder import load_encoder
from webfaq_eval.models.encoder import find_model
from webfaq_eval.pairs.pairs import PairFolder, open_pairs

from webfaq_domains.ground.files import write_text

#: Tokens of a line. With the cut vocabulary it may have a few more.
LINE = 58
#: Position embeddings; XLM-R's first two stand for no position.
POSITIONS = 130


def cut_texts(pairs: PairFolder, tokenizer: Any) -> list[str]:
    """Return the train split's questions and answers in lines of at most `LINE` tokens."""
    lines = []
    for table in tqdm(pairs.tables("train", ("question", "answer")), desc="texts", unit="file"):
        texts = [f"{q} {a}" for q, a in zip(*table.to_pydict().values(), strict=True)]
        texts = [" ".join(text.split()) for text in texts]
        cut = tokenizer(
            texts, max_length=LINE, truncation=True, return_overflowing_tokens=True,
            return_offsets_mapping=True, add_special_tokens=False,
        )  # fmt: skip
        owners = cut["overflow_to_sample_mapping"]
        for places, owner in zip(cut["offset_mapping"], owners, strict=True):
            lines.append(texts[owner][places[0][0] : places[-1][1]])
    return lines


def trimmed(tokenizer: Any, lines: list[str], least: int) -> Any:
    """Return the tokenizer with the special pieces, those met `least` times, and all letters met."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    rows = tokenizer(lines, add_special_tokens=False)["input_ids"]
    met = Counter(token for row in rows for token in row)
    letters = {letter for token in met for letter in tokenizer.convert_ids_to_tokens(token)}
    spec = json.loads(tokenizer.backend_tokenizer.to_str())
    special = {token["content"] for token in spec["added_tokens"]}
    vocabulary = [
        [piece, weight]
        for number, (piece, weight) in enumerate(spec["model"]["vocab"])
        if piece in special or met[number] >= least or piece in letters
    ]
    numbers = {piece: number for number, (piece, _) in enumerate(vocabulary)}
    for token in spec["added_tokens"]:
        token["id"] = numbers[token["content"]]
    spec["model"]["vocab"] = vocabulary
    names = [f"{name}_token" for name in ("bos", "eos", "cls", "sep", "pad", "unk", "mask")]
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(spec)),
        model_max_length=POSITIONS - 2,
        model_input_names=["input_ids", "attention_mask"],
        **{name: getattr(tokenizer, name) for name in names},
    )


def write_random(tokenizer: Any, layers: int, dims: int, place: Path) -> None:
    """Write an XLM-R of random weights, with mean pooling, as a folder."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer), hidden_size=dims, num_hidden_layers=layers,
        num_attention_heads=dims // 32, intermediate_size=4 * dims, type_vocab_size=1,
        max_position_embeddings=POSITIONS, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    plain, staged = (place.with_name(f"{place.name}.{name}") for name in ("plain", "staged"))
    XLMRobertaModel(config).save_pretrained(plain)
    tokenizer.save_pretrained(plain)
    load_encoder(find_model(str(plain)), "cpu")[0].save(str(staged), create_model_card=False)
    staged.rename(place)


def make_small(name: str, pairs: str, out: Path, sizes: tuple[int, int, int]) -> tuple[Path, Path]:
    """Return the texts and the random encoder, made unless they are there; sizes: layers, dims, least."""
    from transformers import AutoTokenizer

    texts, random = out / "texts.txt", out / "random"
    if not random.is_dir():
        layers, dims, least = sizes
        tokenizer = AutoTokenizer.from_pretrained(name)
        lines = cut_texts(open_pairs(pairs), tokenizer)
        small = trimmed(tokenizer, lines, least)
        print(f"vocabulary: {len(small):,} of {len(tokenizer):,} pieces; {len(lines):,} lines")
        out.mkdir(parents=True, exist_ok=True)
        write_text(texts, "\n".join(lines) + "\n")
        write_random(small, layers, dims, random)
    return texts, random


@click.command()
@click.argument("tokenizer")
@click.argument("pairs")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--layers", default=4, show_default=True)
@click.option("--dims", default=128, show_default=True, help="A multiple of 32.")
@click.option("--least", default=10, show_default=True)
def main(tokenizer: str, pairs: str, out: Path, layers: int, dims: int, least: int) -> None:
    """Write OUT/texts.txt and OUT/random."""
    print(*make_small(tokenizer, pairs, out, (layers, dims, least)), sep="\n")


if __name__ == "__main__":
    main()
