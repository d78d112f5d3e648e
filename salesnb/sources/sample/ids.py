"""Identifiers as a CRM makes them: 15 characters, case-sensitive, and 3 that check the case."""

from __future__ import annotations

import numpy as np

from salesnb.sources.sample.arrays import Texts

_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_INSTANCE = b"Nw0"


def crm_ids(prefix: str, count: int, rng: np.random.Generator, *, start: int = 1_000_000) -> Texts:
    """Make `count` rising identifiers of the object type `prefix` (3 characters).

    >>> crm_ids("006", 1, np.random.default_rng(0), start=0).tolist()
    ['006Nw0000000007IAA']
    """
    numbers = start + np.cumsum(rng.integers(1, 9, count))
    head = np.frombuffer(prefix.encode() + _INSTANCE, np.uint8)
    powers = 62 ** np.arange(8, -1, -1)
    tail = np.frombuffer(_DIGITS, np.uint8)[numbers[:, None] // powers % 62]
    body = np.hstack([np.tile(head, (count, 1)), tail])
    is_upper = (body >= ord("A")) & (body <= ord("Z"))
    chunks = (is_upper.reshape(count, 3, 5) * 2 ** np.arange(5)).sum(axis=2)
    checks = np.frombuffer(_CHECKS, np.uint8)[chunks]
    joined = np.ascontiguousarray(np.hstack([body, checks]))
    return joined.view("S18").ravel().astype("U18").astype(object)
