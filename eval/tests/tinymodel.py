"""A random encoder small enough to train in a test: two layers, 16 dimensions, one token per byte.

`write_encoder` writes a plain XLM-R folder (config, weights, tokenizer), `write_retriever` the same
as a sentence-transformers folder with mean pooling and normalisation. Both are the same for the same
seed, and every text in every script can be tokenised.
"""

from __future__ import annotations

from pathlib import Path

DIMENSIONS = 16


def write_tokenizer(folder: Path, max_length: int = 64) -> None:
    """Write a byte-level tokenizer of 261 tokens with XLM-R's special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(special + letters)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=max_length,
    ).save_pretrained(str(folder))


def write_encoder(folder: Path, seed: int = 0, dropout: float = 0.1) -> Path:
    """Write a random XLM-R: `AutoModel.from_pretrained(folder)` and `AutoTokenizer` load it."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    config = XLMRobertaConfig(
        vocab_size=261,
        hidden_size=DIMENSIONS,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=70,
        type_vocab_size=1,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        XLMRobertaModel(config).save_pretrained(str(folder))
    write_tokenizer(folder)
    return folder


def write_retriever(folder: Path, seed: int = 0, dropout: float = 0.1) -> Path:
    """Write the random encoder as a sentence-transformers folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    write_encoder(folder, seed, dropout)
    body = Transformer(str(folder), max_seq_length=64)
    pooling = Pooling(DIMENSIONS, pooling_mode="mean")
    SentenceTransformer(modules=[body, pooling, Normalize()], device="cpu").save(str(folder))
    return folder


def write_teacher(folder: Path, seed: int = 0, labels: int = 1) -> Path:
    """Write a random cross-encoder of the same size, as `CrossEncoder.save_pretrained` does."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    raw = write_encoder(folder / "raw", seed)
    config = XLMRobertaConfig.from_pretrained(str(raw), num_labels=labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = XLMRobertaForSequenceClassification(config)
        # Random weights of the usual size would give all pairs the same score.
        model.classifier.out_proj.weight.data *= 500
        model.save_pretrained(str(raw))
    CrossEncoder(str(raw), device="cpu").save_pretrained(str(folder))
    return folder
