"""The regime of a market and of many symbols, from bars to values and report."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.domain.errors import ConvergenceError, InsufficientHistoryError, ParameterError
from slices.domain.regimes import (
    DEFAULT_REGIME_MODEL,
    DEFAULT_REGIME_RULES,
    REGIMES,
    UNKNOWN,
    Regime,
    RegimeAnalysis,
    RegimeFailure,
    RegimeModel,
    SymbolRegime,
)
from slices.domain.report import Heatmap, LineChart, Table
from slices.market_regime import hidden, walk_forward
from slices.market_regime.regimes import analyzed, market_regime, symbol_regimes
from slices.market_regime.sections import regime_section, regime_table
from slices.market_regime.statistics import (
    agreement,
    records,
    smoothed_shares,
    transition_counts,
    volatility_agreement,
)
from slices.market_regime.walk_forward import most_probable, regime_probabilities
from slices.monitor.charts import inline_svg
from slices.runtime.codec import decode, encode
from tests.slices.market_regime.regime_markets import us_panel
from tests.slices.quant.market import stored, us_closes, us_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from slices.quant.panel import Panel

QUICK = RegimeModel(training_sessions=300, refit_sessions=150)


def analysis_of(panel: Panel, model: RegimeModel = QUICK) -> RegimeAnalysis:
    return analyzed(panel, symbol=None, rules=DEFAULT_REGIME_RULES, model=model)


def decisions(analysis: RegimeAnalysis, stop: int) -> list[np.ndarray]:
    history = analysis.history
    arrays = (
        history.rule_codes, history.model_codes, history.probabilities,
        history.state_probabilities, history.next_volatility,
    )  # fmt: skip
    return [each[:stop] for each in arrays]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> RegimeAnalysis:
    """The index of all names through 33 years, with the settings a flow starts with."""
    return market_regime(us_dataset(tmp_path_factory.mktemp("bars")))


def test_history_is_complete_and_probabilities_are_such(market: RegimeAnalysis) -> None:
    history, first = market.history, DEFAULT_REGIME_MODEL.training_sessions - 1
    assert history.sessions == us_closes()[0][1:]
    assert np.isnan(history.probabilities[:first]).all()
    assert (history.model_codes[:first] == UNKNOWN).all()
    assert history.probabilities[first:].sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert history.state_probabilities[first:].sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert (history.model_codes[first:] >= 0).all()
    assert (history.next_volatility[first:] > 0).all()
    assert market.hidden.fits == 31
    assert market.regime is REGIMES[history.model_codes[-1]]
    assert market.rule_regime is REGIMES[history.rule_codes[-1]]
    assert market.probability == history.probabilities[-1].max()


def test_known_storms_and_calms(market: RegimeAnalysis) -> None:
    history = market.history
    years = np.array([day.year for day in history.sessions])
    days = np.array(history.sessions)
    crash = (days >= dt.date(2008, 10, 1)) & (days <= dt.date(2008, 12, 31))
    assert (history.model_codes[crash] == REGIMES.index(Regime.CRISIS)).mean() > 0.95
    assert (history.rule_codes[crash] == REGIMES.index(Regime.CRISIS)).all()
    assert np.median(history.state_probabilities[years == 2017, 0]) > 0.95
    assert history.next_volatility[crash].mean() > 4 * history.next_volatility[years == 2017].mean()
    assert market.rule_since == dt.date(2022, 12, 12)
    assert market.rule_regime is Regime.BULL_VOLATILE


def test_rules_and_model_agree_far_beyond_chance(market: RegimeAnalysis) -> None:
    assert market.agreement > 0.7
    assert market.volatility_agreement > 0.7
    shuffled = np.random.default_rng(0).permutation(market.history.model_codes)
    assert market.agreement > agreement(market.history.rule_codes, shuffled) + 0.2


def test_forecasts_of_volatility_beat_a_constant(market: RegimeAnalysis) -> None:
    levels, forecast = market.history.levels, market.history.next_volatility[:-1]
    following = np.abs(np.diff(np.log(levels)))
    known = np.isfinite(forecast)
    assert np.corrcoef(forecast[known], following[known])[0, 1] > 0.3


def test_records_add_up(market: RegimeAnalysis) -> None:
    codes = market.history.rule_codes
    known = codes[codes != UNKNOWN]
    assert [each.regime for each in market.records] == list(REGIMES)
    assert sum(each.sessions for each in market.records) == known.size
    assert sum(each.share for each in market.records) == pytest.approx(1.0)
    counts = np.array(market.transitions.counts)
    assert counts.sum() == known.size - 1
    assert np.array(market.transitions.probabilities).sum(axis=1) == pytest.approx(1.0)
    runs = [REGIMES[code] for code, _ in itertools.groupby(known.tolist())]
    for each in market.records:
        assert each.spells == runs.count(each.regime)
        assert each.mean_duration_sessions * each.spells == pytest.approx(each.sessions)


def test_the_newest_fit_is_described(market: RegimeAnalysis) -> None:
    found, forecast = market.hidden, market.volatility
    assert found.fitted_session == us_closes()[0][1 + 503 + 30 * 252]
    quiet, volatile = found.states
    assert quiet.annualized_volatility < volatile.annualized_volatility
    assert quiet.probability + volatile.probability == pytest.approx(1.0)
    assert quiet.next_probability == pytest.approx(
        quiet.probability * found.transitions[0][0] + volatile.probability * found.transitions[1][0]
    )
    assert quiet.expected_duration_sessions == pytest.approx(1 / (1 - found.transitions[0][0]))
    assert found.log_likelihood >= max(found.start_log_likelihoods) - 0.01
    assert forecast.next_session == market.history.next_volatility[-1]
    low, high = sorted((forecast.next_session, forecast.long_run))
    assert low <= forecast.next_month <= high


@pytest.mark.parametrize("states", [2, 3])
def test_cutting_off_or_changing_the_future_changes_nothing_before(states: int) -> None:
    panel = us_panel(start=4300, stop=5500)
    model = RegimeModel(states=states, training_sessions=300, refit_sessions=150)
    whole = analysis_of(panel, model)
    for stop in (450, 451, 700, 900):
        cut = decisions(analysis_of(panel.until(stop + 1), model), stop)
        for one, other in zip(cut, decisions(whole, stop), strict=True):
            assert np.array_equal(one, other, equal_nan=True)
    changed = us_panel(start=4300, stop=5500)
    changed.close[701:] *= np.random.default_rng(1).uniform(0.5, 1.5, (499, 1))
    for one, other in zip(
        decisions(analysis_of(changed, model), 700), decisions(whole, 700), strict=True
    ):
        assert np.array_equal(one, other, equal_nan=True)
    after = decisions(analysis_of(changed, model), 1199)
    assert not np.array_equal(after[0], whole.history.rule_codes)


def test_one_fit_to_everything_would_have_known_the_future() -> None:
    panel = us_panel(start=4300, stop=5500)
    returns = np.log1p(np.diff(panel.close, axis=0) / panel.close[:-1]).mean(axis=1)

    def from_one_fit(stop: int) -> np.ndarray:
        model = hidden.fitted_model(returns[:stop], label="index").model
        return model.filtered(returns[:stop])[:450]

    assert np.abs(from_one_fit(450) - from_one_fit(1199)).max() > 0.1


def test_states_become_regimes_by_the_rule() -> None:
    states = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.1, 0.3, 0.6], [np.nan] * 3])
    trends, deep = np.array([1, -1, 0, 1]), np.array([False, False, True, False])
    found = regime_probabilities(states, trends, deep)
    expected = {
        (0, Regime.BULL_QUIET): 0.7,
        (0, Regime.BULL_VOLATILE): 0.3,
        (1, Regime.BEAR_QUIET): 0.1,
        (1, Regime.BEAR_VOLATILE): 0.9,
        (2, Regime.SIDEWAYS_QUIET): 0.1,
        (2, Regime.SIDEWAYS_VOLATILE): 0.3,
        (2, Regime.CRISIS): 0.6,
    }
    for row, code in itertools.product(range(3), range(7)):
        assert found[row, code] == pytest.approx(expected.get((row, REGIMES[code]), 0.0))
    best = [REGIMES[code] for code in most_probable(found)[:3]]
    assert best == [Regime.BULL_QUIET, Regime.BEAR_VOLATILE, Regime.CRISIS]
    assert most_probable(found)[3] == UNKNOWN


def test_durations_and_transitions_of_a_known_chain() -> None:
    codes = np.array([UNKNOWN, *([0] * 9), *([6] * 3), *([0] * 9), *([6] * 3)])
    simple = np.where(codes == 6, -0.02, 0.01)
    counts = transition_counts(codes)
    assert (counts[0, 0], counts[0, 6], counts[6, 0], counts[6, 6]) == (16, 2, 1, 4)
    assert smoothed_shares(counts)[0, 6] == pytest.approx((2 + 1 / 7) / 19)
    quiet, *_, crisis = records(codes, simple, periods_per_year=252)
    assert (quiet.spells, quiet.mean_duration_sessions) == (2, 9.0)
    assert quiet.expected_duration_sessions == pytest.approx(1 / (1 - (16 + 1 / 7) / 19))
    assert quiet.next_annualized_return == pytest.approx((16 * 0.01 - 2 * 0.02) / 18 * 252)
    assert crisis.next_annualized_return == pytest.approx((0.01 - 4 * 0.02) / 5 * 252)
    never = records(codes, simple, periods_per_year=252)[2]
    assert (never.sessions, never.spells) == (0, 0)
    assert math.isnan(never.mean_duration_sessions + never.next_annualized_return)
    assert math.isnan(never.expected_duration_sessions)


def test_agreement_counts_what_both_know() -> None:
    one, other = np.array([-1, 0, 1, 2, 6]), np.array([0, 0, 0, 4, 5])
    assert agreement(one, other) == 0.25
    assert volatility_agreement(one, other) == 0.75
    assert math.isnan(agreement(one[:1], other[:1]))


def test_one_symbol_of_many(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=3, sessions=800)
    found = market_regime(bars, symbol="AMD", model=QUICK)
    alone = us_panel(start=-800, symbols=2).columns([1])
    assert (found.label, found.symbols) == ("AMD", ("AMD",))
    assert np.array_equal(found.history.rule_codes, analysis_of(alone).history.rule_codes)


def test_too_little_history_is_an_error_and_no_default(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=2, sessions=400)
    with pytest.raises(InsufficientHistoryError, match="needs 505 sessions of bars, found 400"):
        market_regime(bars)
    with pytest.raises(ParameterError, match="symbol: found TSLA; allowed: AAPL, AMD"):
        market_regime(bars, symbol="TSLA")


def test_a_fit_that_does_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "MOST_ITERATIONS", 1)
    with pytest.raises(ConvergenceError, match="index of 20 symbols until"):
        analysis_of(us_panel(start=-500))


def test_a_fit_without_an_answer_leaves_the_one_before_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel, fit = us_panel(start=-601), walk_forward.fitted_model
    whole = analysis_of(panel)

    def fitted_but_once(returns: np.ndarray, **options: object) -> object:
        if returns.size == 450:
            raise ConvergenceError(method="a fit", iterations=3, residual=0.5)
        return fit(returns, **options)

    monkeypatch.setattr(walk_forward, "fitted_model", fitted_but_once)
    found = analysis_of(panel)
    assert (whole.hidden.fits, found.hidden.fits) == (3, 2)
    assert found.hidden.failures == ("a fit: residual 0.5 after 3 iterations; "
                                     "the input may be ill-conditioned",)  # fmt: skip
    one, other = found.history, whole.history
    assert np.array_equal(one.probabilities[:449], other.probabilities[:449], equal_nan=True)
    assert (one.model_codes[299:] != UNKNOWN).all()
    assert not np.array_equal(one.probabilities[449:599], other.probabilities[449:599])


def test_symbols_are_judged_one_by_one(tmp_path: Path) -> None:
    dates, names, closes = us_closes()
    chosen = {name: closes[-700:, i].copy() for i, name in enumerate(names[:4])}
    chosen["AMD"][:500] = np.nan
    chosen["BAC"][:] = 10.0
    bars = stored(tmp_path, dates[-700:], chosen)
    apple, amd, bac, bby = symbol_regimes(bars, ("AAPL", "AMD", "BAC", "BBY"))
    assert isinstance(apple, SymbolRegime)
    assert amd == RegimeFailure(symbol="AMD", reason="AMD: needs 273 sessions of bars, found 200")
    assert bac == RegimeFailure(symbol="BAC", reason="BAC: the level never changes")
    assert isinstance(bby, SymbolRegime)
    assert bby.session == dates[-1]
    assert bby.drawdown == pytest.approx(1 - closes[-1, 3] / closes[-252:, 3].max())
    returns = np.diff(np.log(closes[-22:, 3]))
    assert bby.annualized_volatility == pytest.approx(returns.std(ddof=1) * 252**0.5)
    assert dates[-bby.sessions_in_regime] == bby.since
    assert math.isnan(bby.volatile_probability)
    backwards = symbol_regimes(bars, ("BBY", "AAPL"))
    assert [each.symbol for each in backwards] == ["BBY", "AAPL"]
    assert encode(backwards) == encode((bby, apple))


def test_a_symbol_is_judged_as_its_whole_history_is(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=2, sessions=800)
    (found,) = symbol_regimes(bars, ("AMD",), with_model=True)
    assert isinstance(found, SymbolRegime)
    whole = market_regime(bars, symbol="AMD", model=QUICK)
    assert (found.regime, found.since) == (whole.rule_regime, whole.rule_since)
    assert 0 <= found.volatile_probability <= 1
    assert found.model_reason == ""


def test_a_model_without_an_answer_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden, "FEWEST_SESSIONS", 1000.0)
    bars = us_dataset(tmp_path, symbols=1, sessions=600)
    (found,) = symbol_regimes(bars, bars.symbols, with_model=True)
    assert isinstance(found, SymbolRegime)
    assert math.isnan(found.volatile_probability)
    assert found.model_reason.startswith("AAPL: none of 6 starts found 2 states")


def test_a_cached_analysis_is_the_same(market: RegimeAnalysis) -> None:
    text = encode(market)
    assert encode(decode(text)) == text


def test_the_section_shows_what_was_found(market: RegimeAnalysis) -> None:
    section = regime_section(market)
    charts = [each for each in section.blocks if isinstance(each, LineChart | Heatmap)]
    assert all(inline_svg(each) for each in charts)
    keys = [each.key for each in section.blocks if not hasattr(each, "text")]
    assert len(keys) == len(set(keys)) == 7
    timeline = next(each for each in charts if each.key == "regimes")
    drawn = np.isfinite([each.y for each in timeline.series]).any(axis=0)
    assert np.array_equal(drawn, market.history.rule_codes != UNKNOWN)
    for table in (each for each in section.blocks if isinstance(each, Table)):
        assert {len(row) for row in table.rows} == {len(table.columns)} == {len(table.units)}


def test_the_table_of_symbols_keeps_those_without_an_answer(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=2, sessions=300)
    found = symbol_regimes(bars, bars.symbols)
    table = regime_table((*found, RegimeFailure(symbol="X", reason="X: too short")))
    assert [row[0] for row in table.rows] == ["AAPL", "AMD", "X"]
    assert "too short" in str(table.rows[2][1])
    assert {len(row) for row in table.rows} == {len(table.columns)} == {len(table.units)}


def test_reading_the_module_loads_nothing_heavy() -> None:
    heavy = ("numba", "scipy", "sklearn", "arch", "statsmodels", "hmmlearn")
    check = (
        "import sys, slices.market_regime.regimes, slices.market_regime.sections; "
        f"print(*[each for each in {heavy} if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
