"""The learning work flows can order."""

from slices.ml_strategy.features import building
from slices.runtime.kinds import compute

build_features = compute(building.build_features)
