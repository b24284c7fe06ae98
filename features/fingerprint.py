"""What identifies a feature row: a 128-bit fingerprint of its account and every value, bit for bit.

It tells rows apart, as the digest of a file does, and is not proof against forgers: two 64-bit lanes, each column mixed
into both by multiplication and rotation, in the order of the plan. Texts enter by 63 bits of their BLAKE2b digest.
"""

from __future__ import annotations

import hashlib
from binascii import hexlify
from collections.abc import Iterable
from functools import lru_cache

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Words = npt.NDArray[np.uint64]
_SIGNLESS, _INFINITE = np.uint64(0x7FFF_FFFF_FFFF_FFFF), np.uint64(0x7FF0_0000_0000_0000)
_NUMBER = 0xBFFF_FFFF_FFFF_FFFF  # 63 bits of a text, never those of NaN
_NULL = np.uint64(0x7FF8_0000_0000_0000)  # whichever NaN it is


def fingerprints(start: str, rows: int, columns: Iterable[pa.Array]) -> npt.NDArray[np.bytes_]:
    """One fingerprint per row, as 32 hexadecimal digits; ``start`` is what all rows have in common."""
    first, second = _begun(start, rows)
    for column in columns:
        _mix(first, second, _words(column))
    return _finished(first, second)


def fingerprint(start: str, words: Words) -> str:
    """The same of one row, of each column its word: the bits of a number, ``word`` of a text."""
    first, second = _begun(start, 1)
    _mix_row(first, second, words)
    return str(_finished(first, second)[0], "ascii")


def _begun(start: str, rows: int) -> tuple[Words, Words]:
    digest = hashlib.blake2b(start.encode(), digest_size=16).digest()
    first, second = (np.full(rows, int.from_bytes(half, "big"), np.uint64) for half in (digest[:8], digest[8:]))
    return first, second


def _finished(first: Words, second: Words) -> npt.NDArray[np.bytes_]:
    _finish(first, second)
    return np.frombuffer(hexlify(np.stack([first, second], axis=1).astype(">u8").tobytes()), dtype="S32")


def _words(column: pa.Array) -> Words:
    if pa.types.is_string(column.type):
        coded = column.dictionary_encode()
        codes = np.array([word(text) for text in coded.dictionary.to_pylist()] + [word(None)], dtype=np.uint64)
        return codes[coded.indices.fill_null(len(codes) - 1).to_numpy(zero_copy_only=False)]
    return column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False).view(np.uint64)


@lru_cache(maxsize=2**20)
def word(text: str | None) -> int:
    """What a text, or none, enters by."""
    key = b"" if text is None else text.encode()
    digest = hashlib.blake2b(key, digest_size=8, person=b"null" if text is None else b"text").digest()
    return int.from_bytes(digest, "big") & _NUMBER


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _mix(first, second, words):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Numbers and texts alike, since no text looks like what is not a number."""
    for row in range(len(words)):
        word = words[row]
        if word & _SIGNLESS > _INFINITE:
            word = _NULL
        word *= np.uint64(0x9E3779B185EBCA87)
        one = first[row] ^ (((word << np.uint64(31)) | (word >> np.uint64(33))) * np.uint64(0xC2B2AE3D27D4EB4F))
        one = ((one << np.uint64(27)) | (one >> np.uint64(37))) * np.uint64(5) + second[row]
        two = second[row] + word
        two = ((two << np.uint64(41)) | (two >> np.uint64(23))) * np.uint64(0x165667B19E3779F9) ^ one
        first[row], second[row] = one, two


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _mix_row(first, second, words):  # type: ignore[no-untyped-def]  # pragma: no cover
    for column in range(len(words)):
        _mix(first, second, words[column : column + 1])


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _finish(first, second):  # type: ignore[no-untyped-def]  # pragma: no cover
    for row in range(len(first)):
        for lane in (first, second):
            bits = lane[row]
            bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
            bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
            lane[row] = bits ^ (bits >> np.uint64(33))
