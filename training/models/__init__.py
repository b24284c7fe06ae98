"""Kinds of models, as data. A new kind is one file here: how it is fitted, how it scores, how it explains itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from training.models.component import Component
from training.models.linear import Linear
from training.models.prior import Prior
from training.models.trees import Trees

KINDS: dict[str, Callable[[dict[str, Any], dict[str, str]], Component]] = {
    "prior": Prior.from_data,
    "linear": Linear.from_data,
    "trees": Trees.from_data,
}
"""From the numbers of the contract and the texts beside it; every text has been checked by its SHA-256."""
