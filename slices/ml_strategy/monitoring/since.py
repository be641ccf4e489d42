"""What a champion says of the sessions after its training, and what came of it."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError, counted, listed
from slices.domain.learning import OutOfSampleScores
from slices.domain.learning_errors import ModelError
from slices.ml_strategy.fitting.models import scores_of
from slices.ml_strategy.predicting.refusing import differing_bars

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef
    from slices.domain.models import ModelBundle
    from slices.ml_strategy.examples import Examples


def check_same_inputs(bundle: ModelBundle, features: FeatureSetRef) -> None:
    """Check that features are of the universe and of the kind a model was trained on.

    Raises:
        ParameterError: Where symbols differ: ranks and features compare them with each other.
        ModelError: Where features are defined otherwise than in training.
    """
    missing = tuple(each for each in bundle.symbols if each not in features.symbols)
    extra = tuple(each for each in features.symbols if each not in bundle.symbols)
    if missing or extra:
        differing = (("without", missing), ("with", extra))
        raise ParameterError(
            parameter="symbols",
            found=" and ".join(f"{word} {listed(names)}" for word, names in differing if names),
            allowed=f"the {counted(len(bundle.symbols), 'symbol')} the champion was trained on",
        )
    if features.definition != bundle.definition:
        raise ModelError(
            model=bundle.name,
            problem="its features are defined otherwise by now; train it anew",
        )


def check_same_bars(bundle: ModelBundle, bars: DatasetRef) -> None:
    """Check that bars are from where a model's were, adjusted alike: on others it never trades.

    Raises:
        ParameterError: Where source, feed or adjustment differ.
    """
    differing = differing_bars(bundle, bars)
    if differing:
        names, found, allowed = (" and ".join(each) for each in zip(*differing, strict=True))
        raise ParameterError(
            parameter=names,
            found=found,
            allowed=f"{allowed}, as the champion was trained on",
        )


def scores_since(bundle: ModelBundle, examples: Examples) -> OutOfSampleScores:
    """Score every session after the last bar a model was trained on.

    Args:
        bundle: The model.
        examples: Of its features, in any order of the symbols.

    Returns:
        Sessions after `known_until`, so that no label of training reaches into one; outcomes that
        are not known yet are NaN.
    """
    first = bisect_right(examples.sessions, bundle.known_until)
    rows = examples.rows_at(np.arange(first, len(examples.sessions)))
    later = examples.chosen(rows)
    scores = scores_of(bundle.predictor, later.features, later.names)
    return OutOfSampleScores(
        kind=bundle.predictor.kind,
        symbols=examples.symbols,
        sessions=examples.sessions[first:],
        scores=later.matrix(scores)[first:],
        labels=later.matrix(later.label)[first:],
        forward_returns=later.matrix(later.forward_return)[first:],
        volatilities=later.matrix(later.volatility)[first:],
        folds=np.zeros(len(examples.sessions) - first, dtype=np.int64),
    )
