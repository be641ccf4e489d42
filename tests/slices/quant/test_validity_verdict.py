"""What the evidence adds up to."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from slices.domain.errors import BadDataError, ParameterError
from slices.domain.report import Table, Tone
from slices.domain.verdict_report import verdict_figure, verdict_section, verdict_sentence
from slices.domain.verdicts import (
    Grade,
    Leak,
    LeakFinding,
    LookAheadProbe,
    Verdict,
    needed_alpha_t,
)
from slices.quant.validity.verdict import judge
from slices.runtime.codec import decode, encode
from tests.slices.quant.chance import (
    YEAR,
    best_of,
    planted_strategies,
    random_strategies,
    simulated_strategies,
)
from tests.slices.quant.market import us_returns

DAY = dt.date(2020, 1, 2)
CLEAN = LookAheadProbe(cuts=(DAY,))
MARKET = us_returns(2520).mean(axis=1)
LEAKY = CLEAN.with_findings(
    LeakFinding(leak=Leak.FUTURE_BARS, session=DAY, detail="the decision for AAA changed.")
)


def skilled(sessions: int = 2520, *, yearly: float = 0.3, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(yearly / YEAR, 0.008, sessions)
    return 0.3 * MARKET[:sessions] + noise


def verdict(returns: np.ndarray, **options: object) -> Verdict:
    given = {"periods_per_year": YEAR, "probe": CLEAN} | options
    return judge(returns, MARKET[: returns.size], **given)


def test_skill_passes_with_its_evidence() -> None:
    found = verdict(skilled())
    assert found.grade is Grade.PASS
    assert found.sharpe_low > 0
    assert found.deflated_sharpe_ratio >= 0.95
    assert found.alpha_t > needed_alpha_t(1)
    assert found.minimum_track_record_sessions <= found.sessions
    assert len(found.reasons) == 5


def test_a_market_that_rose_is_no_skill() -> None:
    found = verdict(MARKET)
    assert found.sharpe_low > 0
    assert found.grade is Grade.WEAK
    assert len(found.reasons) == 1


@pytest.mark.parametrize(
    "returns",
    [
        pytest.param(np.empty(0), id="empty"),
        pytest.param(skilled(59), id="short"),
        pytest.param(np.zeros(500), id="flat"),
        pytest.param(np.full(500, 0.001), id="constant"),
        pytest.param(np.where(np.arange(500) < 20, 0.01, 0.0), id="seldom"),
        pytest.param(np.full(500, np.nan), id="missing"),
        pytest.param(np.append(skilled(499), np.inf), id="infinite"),
        pytest.param(-np.abs(skilled(500)), id="losing"),
    ],
)
def test_what_cannot_be_believed_is_rejected_with_a_reason(returns: np.ndarray) -> None:
    found = verdict(returns)
    assert found.grade is Grade.REJECT
    assert found.reasons
    assert found.sessions == returns.size


def test_a_leak_is_rejected_however_good_it_looks() -> None:
    found = verdict(skilled(), probe=LEAKY)
    assert found.grade is Grade.REJECT
    assert LEAKY.findings[0].detail in found.reasons[0]


def test_without_a_probe_nothing_passes() -> None:
    assert verdict(skilled(), probe=LookAheadProbe(cuts=())).grade is Grade.WEAK


def test_without_a_year_nothing_passes() -> None:
    assert verdict(skilled(YEAR - 1, yearly=2.0)).grade is Grade.WEAK
    assert verdict(skilled(YEAR, yearly=2.0)).grade is Grade.PASS


def test_a_benchmark_that_stands_still_cannot_be_compared_with() -> None:
    found = judge(skilled(), np.zeros(2520), periods_per_year=YEAR, probe=CLEAN)
    assert found.grade is Grade.REJECT


def test_many_trials_take_away_what_one_proves() -> None:
    returns = skilled(yearly=0.18)
    assert verdict(returns).grade is Grade.PASS
    assert verdict(returns, trials=10_000).grade is Grade.WEAK


def test_ratios_of_trials_count_where_fewer_trials_are_named() -> None:
    ratios = np.random.default_rng(0).normal(0.0, 0.02, 40)
    assert verdict(skilled(), trials=5, trial_sharpes=ratios).trials == 40
    assert verdict(skilled(), trials=50, trial_sharpes=ratios).trials == 50


def test_ratios_that_spread_more_ask_for_more() -> None:
    close, wide = (np.random.default_rng(0).normal(0.0, each, 100) for each in (0.005, 0.05))
    near, far = (verdict(skilled(), trials=100, trial_sharpes=each) for each in (close, wide))
    assert near.deflated_sharpe_ratio > far.deflated_sharpe_ratio + 0.05


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(BadDataError):
        judge(skilled(), MARKET[1:], periods_per_year=YEAR, probe=CLEAN)
    with pytest.raises(ParameterError):
        verdict(skilled(), trials=0)


def test_costs_can_only_lower_the_evidence() -> None:
    gross = verdict(skilled())
    net = verdict(skilled() - 0.0002)
    assert net.sharpe_ratio < gross.sharpe_ratio
    assert net.alpha_t < gross.alpha_t
    assert net.sharpe_low < gross.sharpe_low


def test_a_verdict_survives_storage() -> None:
    found = verdict(skilled(), probe=LEAKY)
    assert decode(encode(found)) == found


def test_random_strategies_seldom_pass() -> None:
    grades = Counter(
        judge(returns, each.benchmark, periods_per_year=YEAR, probe=CLEAN).grade
        for each in random_strategies(60, seed=3)
        for returns in (each.gross, each.net)
    )
    assert grades[Grade.PASS] <= 6
    assert grades[Grade.REJECT] >= 20


@pytest.mark.slow
def test_interest_on_idle_cash_is_no_skill() -> None:
    cases = list(simulated_strategies(28, seed=5, share=0.1, cash_rate=0.05))
    blind, knowing = (
        Counter(
            judge(
                each.net, each.benchmark, periods_per_year=YEAR, risk_free_rate=rate, probe=CLEAN
            ).grade
            for each in cases
        )
        for rate in (0.0, 0.05)
    )
    assert knowing[Grade.PASS] <= 1
    assert blind[Grade.PASS] >= 14


def test_an_account_of_cash_alone_shows_nothing() -> None:
    cash = np.full(1000, 0.05 / YEAR) + np.random.default_rng(0).normal(0.0, 1e-16, 1000)
    found = verdict(cash, risk_free_rate=0.05)
    assert found.grade is Grade.REJECT
    assert math.isnan(found.sharpe_ratio)


def test_a_rate_that_everything_earns_changes_nothing_but_the_words() -> None:
    plain = verdict(skilled())
    richer = judge(
        skilled() + 0.05 / YEAR,
        MARKET + 0.05 / YEAR,
        periods_per_year=YEAR,
        risk_free_rate=0.05,
        probe=CLEAN,
    )
    for name in ("sharpe_ratio", "sharpe_low", "deflated_sharpe_ratio", "alpha", "alpha_t"):
        assert getattr(richer, name) == pytest.approx(getattr(plain, name))
    assert all("5%" in each for each in (verdict_sentence(richer), richer.reasons[3]))
    assert "cash" not in verdict_sentence(plain)
    labels = [str(row[0]) for row in evidence_table(richer).rows]
    assert sum("cash rate of 5%" in each for each in labels) == 2


def evidence_table(found: Verdict) -> Table:
    return next(each for each in verdict_section(found).blocks if isinstance(each, Table))


def test_ruin_is_the_first_reason_whatever_else_is_wrong() -> None:
    lost = np.append(skilled(80), -1.0)
    for returns, probe in ((lost, CLEAN), (lost, LEAKY), (np.array([-1.0]), CLEAN)):
        found = verdict(returns, probe=probe, ruined=DAY)
        assert found.grade is Grade.REJECT
        assert str(DAY) in found.reasons[0]
        assert found.reasons[0] in verdict_sentence(found)
    assert len(verdict(lost, probe=LEAKY, ruined=DAY).reasons) == 2


def test_planted_skill_nearly_always_passes() -> None:
    grades = Counter(
        judge(each.net, each.benchmark, periods_per_year=YEAR, probe=CLEAN).grade
        for each in planted_strategies(20, seed=3)
    )
    assert grades[Grade.PASS] >= 19


def test_the_best_of_many_without_skill_seldom_passes() -> None:
    grades = Counter(
        judge(
            case.net,
            case.benchmark,
            periods_per_year=YEAR,
            trials=100,
            trial_sharpes=case.trial_sharpes,
            probe=CLEAN,
        ).grade
        for case in best_of(100, 14, seed=2)
    )
    assert grades[Grade.PASS] <= 2


@pytest.mark.parametrize(
    ("returns", "tone"), [(skilled(), Tone.GOOD), (MARKET, Tone.WARNING), (-MARKET, Tone.BAD)]
)
def test_a_verdict_is_shown_with_its_reasons(returns: np.ndarray, tone: Tone) -> None:
    found = verdict(returns)
    section = verdict_section(found)
    shown = [block.text for block in section.blocks if not isinstance(block, Table)]
    assert tuple(shown) == found.reasons
    assert verdict_figure(found).tone is tone
    assert found.grade.value.upper() in verdict_sentence(found)
    assert found.reasons[0] in verdict_sentence(found)


def test_the_evidence_says_what_many_trials_need() -> None:
    few, many = (verdict_section(verdict(skilled(), trials=each)) for each in (1, 1000))
    tables = [next(b for b in each.blocks if isinstance(b, Table)) for each in (few, many)]
    needed = [next(row[2] for row in each.rows if "t-stat" in str(row[0])) for each in tables]
    assert needed[0] != needed[1]


def test_leaks_have_a_table_that_says_how_many_it_leaves_out() -> None:
    found = verdict(skilled(), probe=CLEAN.with_findings(*LEAKY.findings * 13))
    tables = [each for each in verdict_section(found).blocks if isinstance(each, Table)]
    assert [each.key for each in tables] == ["verdict-evidence", "verdict-leaks"]
    assert len(tables[1].rows) == 10
    assert "3" in tables[1].caption


def test_a_verdict_that_is_undefined_can_be_shown() -> None:
    found = verdict(np.empty(0))
    assert math.isnan(found.alpha)
    assert verdict_section(found).blocks
    assert verdict_sentence(replace(found, reasons=()))


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    modules = "slices.quant.validity.verdict, slices.quant.validity.look_ahead"
    modules += ", slices.quant.validity.overfitting, slices.domain.verdict_report"
    check = f"import sys, {modules}; print({{'numba', 'scipy', 'pandas'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
