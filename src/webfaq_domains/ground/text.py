"""One spelling of the text that every hash and every model sees.

`pair_text` is what models read, `match_hash` what deduplication and decontamination compare,
`content_id` the identity of a pair. `unit_hash` turns a key into a number in [0, 2**64): chance in
this project is always a comparison of such a number with a threshold, so that neither order nor
shards nor machine can change it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.addresses import Strings
from webfaq_domains.ground.codepoints import folded

UInt64s = npt.NDArray[np.uint64]

#: Separates the parts of a hashed record; `Clean` removes control characters, so no text holds it.
_PART = "\x1f"

#: A question mark that ends a word, in any script: ASCII and full width, Arabic, Armenian,
#: Ethiopic, reversed and vertical forms, the Greek mark and the ASCII semicolon after a Greek
#: letter. Inside a URL (`page?id=1`) the ASCII mark does not count; the others may stand inside a
#: word (`Ինչպե՞ս`) or before one (`可以吗？可以`).
QUESTION_MARK = re.compile(
    r"[?？؟՞፧⸮︖\u037e;](?:(?<![?;])|(?<=\?)(?![A-Za-z0-9_=&%/#-]|\.\w)"
    r"|(?<=[\u0370-\u03ff\u1f00-\u1fff];)(?!\w))"
)


#: Unicode's stream-safe format allows 30 marks in a row; a text in NFC takes quadratic time for more.
_MOST_MARKS = 30
_LONG = 1_000


@cache
def _many_marks() -> re.Pattern[str]:
    marks = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code)))
    return re.compile(f"([{marks}]{{{_MOST_MARKS}}})[{marks}]+")


def composed(text: str) -> str:
    """Return a text in Unicode's composed form (NFC), of more than 30 marks in a row the first 30."""
    if len(text) > _LONG and not text.isascii():
        text = _many_marks().sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


def is_composed(text: str) -> bool:
    """Tell whether `composed` leaves a text as it is."""
    if len(text) > _LONG and not text.isascii() and _many_marks().search(text):
        return False
    return unicodedata.is_normalized("NFC", text)


def pair_text(pairs: pa.Table, characters: int) -> list[str]:
    """Return `question answer` of each pair on one line, cut to `characters` code points."""
    joined = pc.binary_join_element_wise(pairs["question"], pairs["answer"], " ")
    cut = pc.utf8_slice_codeunits(joined, 0, characters)
    texts: list[str] = pc.replace_substring(cut, "\n", " ").to_pylist()
    return texts


def match_hash(texts: Strings, salt: str = "") -> UInt64s:
    """Return a 64-bit number per text that is equal for texts which match (`codepoints.folded`)."""
    key = salt.encode()
    digests = b"".join(
        hashlib.blake2b(text, digest_size=8, key=key).digest() for text in folded(texts.to_pylist())
    )
    return np.frombuffer(digests, dtype="<u8")


def both(one: UInt64s, other: UInt64s) -> UInt64s:
    """Combine two hashes per row into one; the order of the two matters."""
    mixed = one * np.uint64(0x9E3779B97F4A7C15) + other
    return mixed ^ (mixed >> np.uint64(31))


def unit_hash(keys: Strings, salt: str = "") -> UInt64s:
    """Return a uniform 64-bit number per key (BLAKE2b, keyed by `salt`); null hashes as empty."""
    key = salt.encode()
    digests = b"".join(
        hashlib.blake2b((text or "").encode(), digest_size=8, key=key).digest()
        for text in keys.to_pylist()
    )
    return np.frombuffer(digests, dtype="<u8")


def joined(*columns: Strings) -> Strings:
    """Join columns row by row into one hashable text; null joins as empty."""
    filled = [pc.fill_null(pc.cast(column, pa.string()), "") for column in columns]
    return pc.binary_join_element_wise(*filled, _PART)


def content_id(language: Strings, question: Strings, answer: Strings) -> pa.Array:
    """Return the identity of each pair: 32 hex digits over language, question and answer.

    The parts are separated, unlike in WebFAQ's md5 of `question + " " + answer`, so two pairs
    with the boundary elsewhere have two ids. Sorting by id is a uniform shuffle.
    """
    return pa.array(
        [
            hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
            for text in joined(language, question, answer).to_pylist()
        ],
        pa.string(),
    )


def unit_threshold(share: float) -> int:
    """Return the number below which a share of all `unit_hash` values lies."""
    return min(int(share * 2**64), 2**64 - 1)
