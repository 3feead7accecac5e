"""The settings of other mixes of groups, under which the same test examples are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

MixShare = Annotated[float, Field(ge=0.0, le=1.0)]


def _texts(value: Any) -> Any:
    """Groups are texts: YAML reads 1 and true as other things."""
    if not isinstance(value, Mapping):
        return value
    return {str(group): share for group, share in value.items()}


def _whole(shares: dict[str, float]) -> dict[str, float]:
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-6:
        raise ValueError(f"the shares of a mix sum to {total:g}: let them sum to 1")
    return shares


def _one_column(mix: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    if len(mix) != 1:
        named = ", ".join(map(repr, mix)) or "none"
        raise ValueError(
            f"a mix states the shares of one group column, not of {named}: write one mix for each, "
            "or a column of their combinations"
        )
    return mix


Shares = Annotated[dict[str, MixShare], BeforeValidator(_texts), AfterValidator(_whole)]
# By name: a group column, and the share of each of its groups; a group that is left out has none.
Mixes = dict[str, Annotated[dict[str, Shares], AfterValidator(_one_column)]]
