"""Whether the parts of a model fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.learning import ModelKind
from slices.domain.learning_errors import ModelError
from slices.ml_strategy.fitting.models import TREES

if TYPE_CHECKING:
    from slices.domain.models import ModelBundle


def check_shapes(bundle: ModelBundle) -> None:
    """Check that every array has the length its features call for, and that trees are there.

    Raises:
        ModelError: Naming the first part that does not fit.
    """
    predictor, calibration = bundle.predictor, bundle.calibration
    features = len(predictor.names)
    line = features if predictor.kind is ModelKind.LINEAR else 0
    expected = (
        ("coefficients", predictor.coefficients.shape, (line,)),
        ("centres", predictor.centres.shape, (line,)),
        ("scales", predictor.scales.shape, (line,)),
        ("unknown_shares", bundle.unknown_shares.shape, (features,)),
        ("levels", calibration.levels.shape, calibration.residuals.shape),
        ("drift", bundle.drift.names, predictor.names),
        ("drift limits", bundle.drift.psi_limits.shape, (features,)),
        ("drift shares", bundle.drift.shares.shape[:1], (features,)),
        ("trees", bool(predictor.booster), predictor.kind in TREES),
        ("kind", bundle.out_of_sample.kind, predictor.kind),
    )
    for name, found, needed in expected:
        if found != needed:
            raise ModelError(model=bundle.name, problem=f"{name}: found {found}, needed {needed}")
