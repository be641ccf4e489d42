"""Learning on 20 names over 33 years: `python -m tests.benchmarks.bench_learning [--full]`.

166,260 examples, every feature that closes can give, a purged walk-forward in eight folds. Every
measurement is a process of its own, so that peak memory is its own, and folds are fitted one after
the other by one thread. `--full` adds the whole training flow, computed and then from the cache.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slices.domain.learning import DEFAULT_LABEL, DEFAULT_SPLITS, ModelKind
from tests.benchmarks.harness import Figure, print_figures, timed
from tests.support.server import ROOT, clean_environment, running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef
    from slices.ml_strategy.examples import Examples

PACKAGES = ("numpy", "polars", "lightgbm", "scikit-learn", "optuna")
FEWEST_FEATURES = 80
LONGEST_SECONDS = 1800.0


def bars_of_20_names() -> DatasetRef:
    """Store the bars in the home of this process."""
    from slices.runtime.settings import load_settings
    from tests.slices.quant.market import us_dataset

    home = load_settings().home
    home.mkdir(parents=True, exist_ok=True)
    return us_dataset(home)


def examples_of_20_names() -> tuple[DatasetRef, FeatureSetRef, Examples]:
    """Build features and join them with labels."""
    from slices.ml_strategy.features.building import build_features
    from slices.ml_strategy.labels.joining import examples_of

    bars = bars_of_20_names()
    features = build_features(bars)
    return bars, features, examples_of(bars, features)


def measure_features() -> dict[str, Any]:
    """Time building and storing the features, and joining them with labels."""
    from slices.ml_strategy.features.building import build_features
    from slices.ml_strategy.labels.joining import examples_of

    bars = bars_of_20_names()
    seconds, features = timed(lambda: build_features(bars))
    joined, examples = timed(lambda: examples_of(bars, features))
    return {
        "seconds": seconds,
        "joined": joined,
        "features": len(features.names),
        "rows": examples.row.size,
    }


def measure_walk(kind: ModelKind) -> dict[str, Any]:
    """Time a walk-forward with everything that judges it; repeat it with two folds at once."""
    from slices.ml_strategy.splits.walk_forward import walk_forward_folds
    from slices.ml_strategy.validation.validating import validated
    from slices.ml_strategy.validation.walking import walk_scores
    from slices.quant.panel import read_panel

    bars, _, examples = examples_of_20_names()
    panel = read_panel(bars)
    seconds, found = timed(lambda: validated(examples, panel, kind=kind))
    peak = peak_megabytes()
    folds = walk_forward_folds(examples, DEFAULT_SPLITS, label=DEFAULT_LABEL)
    together, again = timed(
        lambda: walk_scores(examples, folds, kind=kind, seed=0, threads=2).scores
    )
    skill = found.skill
    return {
        "seconds": seconds,
        "peak": peak,
        "together": together,
        "same": found.scores.scores.tobytes() == again.tobytes(),
        "skill": f"IC {skill.information_coefficient:.4f}, t {skill.t_statistic:.1f}, "
        f"AUC {skill.auc:.4f}, net Sharpe {skill.net_sharpe_ratio:.2f}",
        "suspicions": list(skill.suspicions),
    }


def measure_tuning() -> dict[str, Any]:
    """Time a search for the parameters of the boosted trees."""
    from slices.ml_strategy.tuning.searching import tuned

    _, _, examples = examples_of_20_names()
    seconds, found = timed(lambda: tuned(examples, kind=ModelKind.LIGHTGBM))
    return {
        "seconds": seconds,
        "trials": len(found.trials),
        "pruned": found.pruned,
        "sessions": found.sessions,
    }


def measure_flow() -> dict[str, Any]:
    """Time the training flow, computed and then again."""
    from flows.ml_training import ml_model_training
    from slices.domain.fingerprint import fingerprint
    from slices.runtime.progress import Step, listeners

    seen: list[Step] = []
    listeners.append(seen.append)

    def trained() -> tuple[float, str, list[str]]:
        seen.clear()
        seconds, result = timed(ml_model_training)
        ended = [each for each in seen if each.state not in {"Running", "Pending"}]
        return seconds, fingerprint(result.candidates), [each.state for each in ended]

    cold, answer, _ = trained()
    peak = peak_megabytes()
    warm, again, states = trained()
    return {
        "cold": cold,
        "warm": warm,
        "same": answer == again,
        "cached": states.count("Cached"),
        "steps": len(states),
        "peak": peak,
    }


def peak_megabytes() -> float:
    """Return the largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


MEASUREMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "features": measure_features,
    "tuning": measure_tuning,
    "flow": measure_flow,
    **{kind.value: lambda kind=kind: measure_walk(kind) for kind in ModelKind},
}


def measured(name: str, environment: dict[str, str]) -> dict[str, Any]:
    """Take a measurement in a process of its own."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_learning", "--measure", name],
        cwd=ROOT,
        env=environment | {"PREFECT_LOGGING_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if finished.returncode != 0:
        raise RuntimeError(finished.stderr)
    found: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return found


def feature_figures(environment: dict[str, str]) -> Iterator[Figure]:
    """Measure features and labels."""
    found = measured("features", environment)
    few = found["features"] < FEWEST_FEATURES
    yield Figure(
        work=f"{found['features']} features of {found['rows']:,} bars, built and stored",
        value=found["seconds"],
        unit="s",
        note=f"peak {found['peak']:,.0f} MB",
        wrong=f"fewer than {FEWEST_FEATURES} features" if few else "",
    )
    yield Figure(work="features read and joined with labels", value=found["joined"], unit="s")


def walk_figures(kind: ModelKind, environment: dict[str, str]) -> Iterator[Figure]:
    """Measure a kind of model."""
    found = measured(kind.value, environment)
    wrong = "; ".join(found["suspicions"])
    yield Figure(
        work=f"purged walk-forward in 8 folds, judged: {kind.value}",
        value=found["seconds"],
        unit="s",
        at_most=60.0,
        note=f"peak {found['peak']:,.0f} MB; {found['skill']}; "
        f"two folds at once {found['together']:.1f} s",
        wrong=wrong if found["same"] else "two folds at once say something else",
    )


def tuning_figure(environment: dict[str, str]) -> Figure:
    """Measure the search."""
    found = measured("tuning", environment)
    return Figure(
        work=f"{found['trials']} trials of lightgbm on the first {found['sessions']:,} sessions",
        value=found["seconds"],
        unit="s",
        note=f"{found['pruned']} pruned; peak {found['peak']:,.0f} MB",
    )


def flow_figures(folder: Path) -> Iterator[Figure]:
    """Measure the whole training as a person orders it."""
    with running_server(folder) as server:
        found = measured("flow", server.environment)
    yield Figure(
        work="ml_model_training, 20 symbols, four kinds, to the report",
        value=found["cold"],
        unit="s",
        note=f"peak {found['peak']:,.0f} MB",
    )
    yield Figure(
        work="the same again",
        value=found["warm"],
        unit="s",
        note=f"{found['cached']} of {found['steps']} steps from the cache; "
        f"{found['cold'] / found['warm']:.0f} times as fast",
        wrong="" if found["same"] else "the cached scores differ",
    )


def figures(folder: Path, *, full: bool) -> Iterator[Figure]:
    """Measure everything; `full` adds the flow, which takes minutes."""
    environment = clean_environment(folder / "home")
    yield from feature_figures(environment)
    for kind in ModelKind:
        yield from walk_figures(kind, environment)
    yield tuning_figure(environment)
    if full:
        yield from flow_figures(folder / "flow")


def main() -> int:
    """Print the table, or take one of its measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="adds the whole training flow")
    parser.add_argument("--measure", choices=sorted(MEASUREMENTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        found = MEASUREMENTS[arguments.measure]()
        sys.stdout.write(f"{json.dumps({'peak': peak_megabytes()} | found)}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        measured_now = figures(Path(folder), full=arguments.full)
        return print_figures("Learning", measured_now, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
