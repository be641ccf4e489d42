"""Every planted leak is found, and no clean rule is accused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from slices.domain.verdicts import Leak
from slices.quant.panel import Panel
from slices.quant.signals.catalogue import STRATEGIES
from slices.quant.signals.strategy import Strategy
from slices.quant.validity.futures import changed
from slices.quant.validity.look_ahead import probe_decisions, probe_universe
from tests.slices.quant import leaks
from tests.slices.quant.chance import close_panel, ohlcv_panel

Rule = Callable[[Panel], np.ndarray]


def named(rules: tuple[Callable[..., object], ...]) -> dict[str, object]:
    return {"argvalues": rules, "ids": [each.__name__ for each in rules]}


@pytest.fixture(scope="module")
def panel() -> Panel:
    """600 sessions of five symbols, one listed late; one in forty bars is missing."""
    every = ohlcv_panel()
    recent = every.between(len(every.sessions) - 600, len(every.sessions))
    holes = np.random.default_rng(0).random(recent.close.shape) < 1 / 40
    holes[[0, -1]] = False
    return changed(recent, lambda values: np.where(holes, np.nan, values))


@pytest.mark.parametrize("rule", **named(leaks.LEAKS))
def test_a_leak_is_found(rule: Rule, panel: Panel) -> None:
    probe = probe_decisions(rule, panel)
    assert [each.leak for each in probe.findings] == [Leak.FUTURE_BARS]
    assert probe.findings[0].session in panel.sessions


@pytest.mark.parametrize("rule", **named(leaks.CLEAN))
def test_a_clean_rule_is_not_accused(rule: Rule, panel: Panel) -> None:
    probe = probe_decisions(rule, panel)
    assert probe.findings == ()
    assert len(probe.cuts) >= 4


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=[each.value for each in STRATEGIES])
@pytest.mark.parametrize("feed", ["close", "ohlcv"])
def test_no_strategy_of_the_catalogue_is_accused(
    strategy: Strategy, feed: str, panel: Panel
) -> None:
    bars = panel if feed == "ohlcv" else close_panel().between(7300, 8000)
    parameters = strategy.parameters()
    probe = probe_decisions(lambda each: strategy.target_weights(each, parameters), bars)
    assert probe.findings == ()
    assert probe.cuts


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "rule",
    **named(
        (
            leaks.one_session_in_hundred,
            leaks.only_two_sessions_ahead,
            leaks.last_row_alone,
        )
    ),
)
def test_a_rare_leak_is_found_whatever_is_drawn(rule: Rule, seed: int) -> None:
    bars = close_panel().between(6000, 8000)
    assert probe_decisions(rule, bars, seed=seed).findings


@pytest.mark.parametrize(
    ("rule", "ahead"),
    [
        (leaks.next_session_return, 1),
        (leaks.forward_return_rank, 5),
        (leaks.centred_moving_average, 10),
    ],
)
def test_it_says_how_far_ahead_a_rule_looks(rule: Rule, ahead: int) -> None:
    probe = probe_decisions(rule, close_panel().between(7000, 7600))
    found = re.search(r"up to (\d+) session", probe.findings[0].detail)
    assert found is not None
    assert int(found[1]) == ahead


def test_what_takes_the_whole_sample_looks_to_its_end() -> None:
    bars = close_panel().between(7000, 7600)
    finding = probe_decisions(leaks.full_sample_zscore, bars).findings[0]
    assert finding.session == bars.sessions[0]
    assert "599 sessions ahead" in finding.detail


def test_it_names_the_only_symbol_that_is_decided_with_the_future(panel: Panel) -> None:
    finding = probe_decisions(leaks.one_symbol_alone, panel).findings[0]
    assert panel.symbols[3] in finding.detail
    assert not any(name in finding.detail for name in panel.symbols if name != panel.symbols[3])


def test_a_rule_that_draws_without_a_seed_is_reported(panel: Panel) -> None:
    random = np.random.default_rng(1)
    probe = probe_decisions(lambda bars: random.normal(size=bars.close.shape), panel)
    assert [each.leak for each in probe.findings] == [Leak.NOT_REPEATABLE]
    assert probe.cuts == ()


@pytest.mark.parametrize("choose", **named(leaks.LEAKY_CHOICES))
def test_a_choice_with_hindsight_is_found(
    choose: Callable[[Panel], tuple[str, ...]], panel: Panel
) -> None:
    probe = probe_universe(choose, panel, first_session=panel.sessions[250])
    assert [each.leak for each in probe.findings] == [Leak.UNIVERSE]
    assert probe.findings[0].session == panel.sessions[250]


@pytest.mark.parametrize("name", ["everything", "best_before"])
def test_a_choice_made_in_time_is_not_accused(name: str, panel: Panel) -> None:
    choose = leaks.clean_choices(200)[name]
    probe = probe_universe(choose, panel, first_session=panel.sessions[250])
    assert probe.findings == ()
    assert probe.cuts == (panel.sessions[250],)


def test_the_same_choice_is_hindsight_where_trading_begins_earlier(panel: Panel) -> None:
    choose = leaks.clean_choices(200)["best_before"]
    early = probe_universe(choose, panel, first_session=panel.sessions[100])
    assert [each.leak for each in early.findings] == [Leak.UNIVERSE]


def test_probing_leaves_the_panel_as_it_was(panel: Panel) -> None:
    before = replace(panel, close=panel.close.copy())
    probe_decisions(leaks.momentum, panel)
    assert np.array_equal(before.close, panel.close, equal_nan=True)
