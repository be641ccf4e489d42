"""Every declared feature, and what makes a set of them the same set."""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from slices.domain.errors import ParameterError, listed
from slices.domain.fingerprint import fingerprint
from slices.ml_strategy.features.across import INTERACTIONS, RANKS
from slices.ml_strategy.features.calendar import CALENDAR, CALENDAR_COLUMNS
from slices.ml_strategy.features.declaring import Column, Feature, Stage
from slices.ml_strategy.features.market import (
    MARKET_COLUMNS,
    REGIME,
    RELATIVE,
    RELATIVE_COLUMNS,
)
from slices.ml_strategy.features.prices import MOMENTUM, PRICE_COLUMNS, REVERSAL
from slices.ml_strategy.features.risks import RISK_COLUMNS, VOLATILITY
from slices.ml_strategy.features.trading import RANGES, TRADING_COLUMNS, VOLUMES

if TYPE_CHECKING:
    from slices.domain.learning import FeatureFamily, FeatureNeed

FEATURES: tuple[Feature, ...] = (
    *MOMENTUM,
    *REVERSAL,
    *VOLATILITY,
    *RANGES,
    *VOLUMES,
    *RELATIVE,
    *RANKS,
    *CALENDAR,
    *REGIME,
    *INTERACTIONS,
)
"""In the order they are stored in."""

COLUMNS: tuple[Column, ...] = (
    *PRICE_COLUMNS,
    *RISK_COLUMNS,
    *TRADING_COLUMNS,
    *MARKET_COLUMNS,
    *CALENDAR_COLUMNS,
    *RELATIVE_COLUMNS,
    *FEATURES,
)
"""Features, and the columns they are made of."""

_BY_NAME = {each.name: each for each in COLUMNS}
_FEATURES = {each.name: each for each in FEATURES}


def feature(name: str) -> Feature:
    """Find a feature by its name.

    Raises:
        ParameterError: Naming those it may have been meant for.

    >>> feature("momentum_252_21").lookback_sessions
    253
    """
    if name not in _FEATURES:
        near = difflib.get_close_matches(name, _FEATURES, n=5) or list(_FEATURES)
        raise ParameterError(parameter="features", found=f"'{name}'", allowed=listed(tuple(near)))
    return _FEATURES[name]


def check_features_known(parameters: dict[str, Any]) -> None:
    """Check that every feature a person names is in the catalogue.

    Args:
        parameters: All of a flow's, of which `features` is looked at.

    Raises:
        ParameterError: Naming the first that is not, and those it may have been meant for.
    """
    for name in parameters["features"] or ():
        feature(name)


def features_of(families: tuple[FeatureFamily, ...]) -> tuple[str, ...]:
    """Name the features of some families, in the order of the catalogue."""
    return tuple(each.name for each in FEATURES if each.family in families)


def needed_columns(names: tuple[str, ...]) -> tuple[Column, ...]:
    """List features and everything they are made of, each once, by stage.

    Raises:
        ParameterError: Where a feature is not in the catalogue.
    """
    found: dict[str, Column] = {}
    waiting = [feature(name).name for name in names]
    while waiting:
        name = waiting.pop()
        if name in _BY_NAME and name not in found:
            found[name] = _BY_NAME[name]
            waiting += _BY_NAME[name].expression.meta.root_names()
    return tuple(each for each in sorted(COLUMNS, key=_stage) if each.name in found)


def needs_others(name: str) -> bool:
    """Tell whether a feature is of one symbol among several, and so means nothing of one alone."""
    return any(each.stage in (Stage.POOL, Stage.ACROSS) for each in needed_columns((name,)))


def is_shared(name: str) -> bool:
    """Tell whether a feature is the same for all symbols of a session."""
    return feature(name).stage is Stage.SESSION


def bar_columns(need: FeatureNeed) -> tuple[str, ...]:
    """Name the columns of bars that stand behind a need.

    >>> bar_columns(feature("amihud_21").need)
    ('close', 'volume')
    """
    return tuple(need.value.split(", "))


def definition_of(names: tuple[str, ...]) -> str:
    """Digest what some features are: names, their order, formulas and expressions, all the way.

    Returns:
        32 hexadecimal digits, equal in every process; bars do not matter.
    """
    formulas = tuple((name, feature(name).formula) for name in names)
    columns = needed_columns(names)
    return fingerprint(formulas, tuple(_written(each.name) for each in columns))


def _stage(column: Column) -> int:
    return column.stage


@lru_cache(maxsize=1024)
def _written(name: str) -> tuple[str, int, str]:
    column = _BY_NAME[name]
    return name, int(column.stage), column.expression.meta.serialize(format="json")
