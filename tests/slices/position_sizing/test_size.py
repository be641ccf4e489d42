from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import ParameterError
from slices.domain.limits import RiskLimits
from slices.domain.orders import Side
from slices.domain.parameters import Costs, TradingRules
from slices.domain.position_sizing import Bound, BoundName, PositionSize
from slices.domain.regimes import REGIMES, Regime, RegimeFailure
from slices.domain.sizing import PositionRules, RiskBudget, SizeFailure
from slices.position_sizing.bounds import Terms
from slices.position_sizing.holdings import Holdings, holdings_of
from slices.position_sizing.kelly import kelly_estimate
from slices.position_sizing.regime_scaling import regime_factor, regime_scaling
from slices.position_sizing.size import cut, shares_of, sized
from slices.quant.metrics.tails import expected_shortfall, value_at_risk
from slices.quant.panel import Panel
from tests.slices.position_sizing.sizing_panels import EMPTY, QUIET, book, panel, regime

FREE = Costs(commission_bps=0, slippage_bps=0)
BARS = panel()


def size(
    bars: Panel = BARS,
    *,
    holdings: Holdings = EMPTY,
    terms: Terms | None = None,
    side: Side = Side.BUY,
) -> PositionSize:
    found = sized(bars, "S0", holdings=holdings, regime=QUIET, terms=terms or Terms(), side=side)
    assert isinstance(found, PositionSize)
    return found


def bound(found: PositionSize, name: BoundName) -> Bound:
    return next(each for each in found.bounds if each.name is name)


def test_rules_ask_for_what_their_formulas_say() -> None:
    found = size(terms=Terms(costs=FREE))
    close = BARS.close[:, 0]
    returns = np.log(close[1:] / close[:-1])
    simple = np.expm1(returns)[-63:]
    volatility = math.sqrt(((simple - simple.mean()) ** 2).sum() / 62 * 252)
    assert bound(found, BoundName.VOLATILITY).weight == pytest.approx(0.1 / volatility)
    assert BARS.high is not None
    assert BARS.low is not None
    ranges = [
        max(high - low, abs(high - before), abs(low - before))
        for high, low, before in zip(BARS.high[1:, 0], BARS.low[1:, 0], close[:-1], strict=True)
    ]
    average = float(np.mean(ranges[:14]))
    for each in ranges[14:]:
        average = (13 * average + each) / 14
    assert bound(found, BoundName.RANGE).weight == pytest.approx(0.005 * close[-1] / average)
    stop = 3 * average / close[-1]
    assert bound(found, BoundName.RISK).weight == pytest.approx(0.01 / stop)
    assert found.stop_price == pytest.approx(close[-1] * (1 - stop))


def test_a_stop_that_is_hit_loses_the_risk_with_its_costs() -> None:
    found = size(terms=Terms(sizing=PositionRules(use=["risk"], whole_shares=False, largest=1)))
    assert found.bound_by is BoundName.RISK
    assert found.loss_at_stop == pytest.approx(1000.0, rel=1e-6)
    gone = found.quantity * (found.price - found.stop_price)
    paid = 2 * Costs().rate * found.notional
    assert found.loss_at_stop == pytest.approx(gone + paid)


def test_the_percentile_is_that_of_its_own_past() -> None:
    returns = BARS.close[1:, 0] / BARS.close[:-1, 0] - 1
    past = [returns[end - 63 : end].std(ddof=1) for end in range(63, returns.size + 1)]
    expected = np.mean(np.array(past[:-1]) < past[-1])
    assert size().volatility_percentile == pytest.approx(expected)


def test_tails_are_those_of_past_sessions_at_the_weights_of_today() -> None:
    holdings = replace(EMPTY, cash=70_000.0, weights=(("S1", 0.3),))
    found = size(holdings=holdings)
    returns = BARS.close[1:] / BARS.close[:-1] - 1
    before, after = 0.3 * returns[:, 1], 0.3 * returns[:, 1] + found.weight * returns[:, 0]
    for measured, series in ((found.before, before), (found.after, after)):
        assert measured.value_at_risk == pytest.approx(value_at_risk(series))
        assert measured.expected_shortfall == pytest.approx(expected_shortfall(series))
    alone = expected_shortfall(found.weight * returns[:, 0])
    assert found.alone.expected_shortfall == pytest.approx(alone)


CAPS = {
    BoundName.LARGEST: Terms(sizing=PositionRules(largest=0.01)),
    BoundName.LIQUIDITY: Terms(sizing=PositionRules(volume_share=0.0001)),
    BoundName.GROSS: Terms(rules=TradingRules(gross_exposure=0.32)),
    BoundName.NET: Terms(limits=RiskLimits(max_net_exposure=0.31)),
    BoundName.POSITION: Terms(limits=RiskLimits(max_position_notional=500)),
    BoundName.ORDER: Terms(limits=RiskLimits(max_order_notional=700)),
    BoundName.TRADE_BUDGET: Terms(budget=RiskBudget(trade_shortfall=0.0002)),
    BoundName.ACCOUNT_BUDGET: Terms(budget=RiskBudget(account_shortfall=0.013)),
    BoundName.BUYING_POWER: Terms(),
}


@pytest.mark.parametrize("name", CAPS)
def test_every_cap_can_bind_and_is_named_with_its_number(name: BoundName) -> None:
    cash = 1_000.0 if name is BoundName.BUYING_POWER else 70_000.0
    found = size(holdings=Holdings(equity=1e5, cash=cash, weights=(("S1", 0.3),)), terms=CAPS[name])
    assert found.bound_by is name
    binding = bound(found, name)
    assert binding.binds
    assert found.weight <= binding.weight < found.asked
    assert name.value in found.explanation
    assert binding.basis in found.explanation


def test_short_sales_that_are_not_allowed_have_no_size() -> None:
    found = size(side=Side.SELL, terms=Terms(limits=RiskLimits(allow_short=False)))
    assert found.quantity == 0
    assert found.bound_by is BoundName.SHORT
    assert size(side=Side.SELL).quantity > 0


def test_a_cap_on_what_is_not_known_has_no_say_and_says_so() -> None:
    found = size(replace(BARS, volume=None))
    liquidity = bound(found, BoundName.LIQUIDITY)
    assert math.isnan(liquidity.weight)
    assert not liquidity.counts
    assert "no volume" in liquidity.basis


options = st.fixed_dictionaries(
    {
        "target_volatility": st.floats(0.01, 0.5),
        "risk": st.floats(0.001, 0.05),
        "range_risk": st.floats(0.001, 0.05),
        "largest": st.floats(0.01, 1),
        "volume_share": st.floats(1e-5, 0.1),
        "worst_regime_factor": st.floats(0, 1),
    }
)
MORE = ("target_volatility", "risk", "range_risk", "largest", "volume_share")


@pytest.mark.parametrize("whole", [True, False])
@given(options=options, held=st.floats(0, 0.9), cash=st.floats(0, 1))
def test_no_size_is_above_any_rule_or_cap(
    options: dict[str, float], held: float, cash: float, *, whole: bool
) -> None:
    sizing = PositionRules(**options, whole_shares=whole)
    holdings = Holdings(equity=1e5, cash=1e5 * cash, weights=(("S1", held),))
    found = size(holdings=holdings, terms=Terms(sizing=sizing))
    counted = [each for each in found.bounds if each.counts]
    assert all(found.weight <= each.weight * (1 + 1e-12) for each in counted)
    assert found.quantity * found.price <= max(0, holdings.cash) * (1 + 1e-9)
    assert found.quantity == math.floor(found.quantity) or not whole
    assert found.before.expected_shortfall >= 0
    budget = max(0.03, found.before.expected_shortfall)
    assert found.after.expected_shortfall <= budget + 1e-12


@given(options=options, name=st.sampled_from(MORE), factor=st.floats(1, 3))
def test_more_of_anything_never_gives_less(
    options: dict[str, float], name: str, factor: float
) -> None:
    more = options | {name: min(1.0, options[name] * factor)}
    less, larger = (size(terms=Terms(sizing=PositionRules(**each))) for each in (options, more))
    assert larger.quantity >= less.quantity


@given(scale=st.floats(0.01, 100))
def test_prices_and_capital_may_be_in_any_currency(scale: float) -> None:
    def scaled(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values * scale

    close = scaled(BARS.close)
    assert close is not None
    bars = replace(BARS, close=close, high=scaled(BARS.high), low=scaled(BARS.low))
    whole = Terms(sizing=PositionRules(whole_shares=False))
    there = Holdings(equity=1e5 * scale, cash=1e5 * scale)
    assert size(bars, holdings=there, terms=whole).weight == pytest.approx(
        size(terms=whole).weight, rel=1e-4
    )


def test_another_order_of_symbols_gives_the_same_size() -> None:
    assert size(BARS.columns([1, 0])) == size()


def test_what_comes_later_changes_nothing() -> None:
    longer = panel(count=450)
    assert size(longer.until(400)) == size(panel(count=450).until(400))
    assert size(longer.until(400)).session == longer.sessions[399]


def test_a_regime_row_from_best_to_worst_never_leaves_more() -> None:
    for worst in (0.0, 0.25, 1.0):
        factors = [regime_factor(each, math.nan, worst=worst) for each in REGIMES]
        assert factors == sorted(factors, reverse=True)
        assert (factors[0], factors[-1]) == (1.0, worst)
    for first, second in itertools.pairwise(np.linspace(0, 1, 11)):
        for kind in REGIMES:
            before = regime_factor(kind, float(first), worst=0.2)
            assert regime_factor(kind, float(second), worst=0.2) <= before


def test_a_sale_likes_what_a_purchase_fears() -> None:
    for name in ("quiet", "volatile"):
        bull, bear = Regime(f"bull_{name}"), Regime(f"bear_{name}")
        sold = regime_factor(bear, math.nan, worst=0.2, side=Side.SELL)
        assert sold == regime_factor(bull, math.nan, worst=0.2)
    assert regime_factor(Regime.CRISIS, 0.0, worst=0.2, side=Side.SELL) == 0.2


@given(
    kind=st.sampled_from(REGIMES),
    probability=st.floats(0, 1) | st.just(math.nan),
    side=st.sampled_from(list(Side)),
)
def test_the_regime_is_explained_by_the_numbers_its_factor_is_made_of(
    kind: Regime, probability: float, side: Side
) -> None:
    found = sized(
        BARS, "S0", holdings=EMPTY, regime=regime(kind, probability), terms=Terms(), side=side
    )
    assert isinstance(found, PositionSize)
    told = re.search(r"asks for ([\d.]+)%.*times ([\d.]+) for.* is ([\d.]+)%", found.explanation)
    assert told is not None
    smallest, factor, asked = (float(each) for each in told.groups())
    assert smallest * factor == pytest.approx(asked, abs=0.0052)
    made = re.search(r"leaves ([\d.]+) in .* and ([\d.]+) in .* one ([\d.]+)%", found.scaling.basis)
    if kind is Regime.CRISIS or math.isnan(probability):
        assert made is None
        return
    assert made is not None
    calm, turbulent, chance = (float(each) for each in made.groups())
    assert calm + chance / 100 * (turbulent - calm) == pytest.approx(factor, abs=1e-4)
    assert "volatile" not in found.scaling.basis


def test_the_volatility_target_names_what_it_adds_and_the_window_it_looks_at() -> None:
    basis = bound(size(), BoundName.VOLATILITY).basis
    assert "adds at most 10% volatility a year" in basis
    assert "newest 63 sessions" in basis


@pytest.mark.parametrize("found", [RegimeFailure(symbol="S0", reason="too short"), None])
def test_an_unknown_regime_counts_as_a_crisis_and_says_so(found: RegimeFailure | None) -> None:
    scaling = regime_scaling(found, worst=0.25)
    assert scaling.factor == 0.25
    assert scaling.regime == ""
    assert "not known" in scaling.basis
    unknown = sized(BARS, "S0", holdings=EMPTY, regime=found, terms=Terms())
    crisis = sized(
        BARS, "S0", holdings=EMPTY, regime=regime(Regime.CRISIS, math.nan), terms=Terms()
    )
    assert isinstance(unknown, PositionSize)
    assert isinstance(crisis, PositionSize)
    assert unknown.quantity == crisis.quantity < size().quantity


def test_no_trades_leave_nothing_while_the_kelly_rule_is_in_use() -> None:
    nothing = kelly_estimate(np.zeros(0), rules=PositionRules())
    found = sized(BARS, "S0", holdings=EMPTY, regime=QUIET, terms=Terms(), kelly=nothing)
    assert isinstance(found, PositionSize)
    assert (found.quantity, found.bound_by) == (0.0, BoundName.KELLY)
    without = Terms(sizing=PositionRules(use=["volatility", "risk", "range"]))
    found = sized(BARS, "S0", holdings=EMPTY, regime=QUIET, terms=without, kelly=nothing)
    assert isinstance(found, PositionSize)
    assert found.quantity > 0
    assert not bound(found, BoundName.KELLY).counts


def test_a_bound_that_is_not_a_number_leaves_nothing() -> None:
    unknown = Bound(name=BoundName.KELLY, weight=math.nan, basis="", is_cap=False)
    known = Bound(name=BoundName.RISK, weight=0.2, basis="", is_cap=False)
    assert cut((known, unknown), factor=1.0).weight == 0
    cap = Bound(name=BoundName.GROSS, weight=math.nan, basis="", is_cap=True)
    assert cut((known, cap), factor=1.0).weight == 0


@given(weight=st.floats(0, 1), equity=st.floats(1, 1e9), price=st.floats(0.01, 1e5))
def test_shares_are_rounded_down(weight: float, equity: float, price: float) -> None:
    for whole in (True, False):
        found = shares_of(weight, equity=equity, price=price, whole=whole)
        assert 0 <= found <= weight * equity / price
        assert (
            weight * equity / price - found <= (1 if whole else 1e-6) * (1 + 1e-6) + 1e-15 * found
        )


@pytest.mark.parametrize(
    ("bars", "says"),
    [
        (BARS.until(40), "needs 64"),
        (replace(BARS, close=np.vstack([BARS.close[:-1], [[math.nan, 1.0]]])), "newest bar"),
        (
            replace(BARS, close=np.full(BARS.close.shape, 5.0), high=None, low=None),
            "does not move",
        ),
    ],
)
def test_what_cannot_be_sized_says_why(bars: Panel, says: str) -> None:
    found = sized(bars, "S0", holdings=EMPTY, regime=QUIET, terms=Terms())
    assert isinstance(found, SizeFailure)
    assert says in found.reason


def test_holdings_are_fractions_of_equity_and_repeat_runs_see_the_same() -> None:
    found = holdings_of(book(BARS, S1=200.0, S0=-100.0), BARS, capital=1.0)
    assert found.equity == pytest.approx(1e5)
    assert found.weight("S1") == pytest.approx(200 * BARS.close[-1, 1] / 1e5)
    assert found.weight("S0") < 0
    assert found.gross_of_others("S0") == pytest.approx(found.weight("S1"))
    assert found.net_of_others("S1") == pytest.approx(found.weight("S0"))


def test_a_fixed_stop_may_be_given_as_a_fraction() -> None:
    found = size(terms=Terms(sizing=PositionRules(stop_fraction=0.08), costs=FREE))
    assert found.stop_price == pytest.approx(found.price * 0.92)
    assert bound(found, BoundName.RISK).weight == pytest.approx(0.01 / 0.08)


def test_an_account_with_nothing_left_has_no_size() -> None:
    broke = replace(book(BARS), cash=Decimal(0))
    with pytest.raises(ParameterError, match="equity"):
        holdings_of(broke, BARS, capital=1.0)


def test_too_few_sessions_with_all_that_is_held_are_no_evidence() -> None:
    close = BARS.close.copy()
    close[:-30, 1] = math.nan
    bars = replace(BARS, close=close)
    holdings = Holdings(equity=1e5, cash=5e4, weights=(("S1", 0.5),))
    found = sized(bars, "S0", holdings=holdings, regime=QUIET, terms=Terms())
    assert isinstance(found, SizeFailure)
    assert "all that is held" in found.reason


def test_orders_that_wait_count_as_filled() -> None:
    spent = Holdings(equity=1e5, cash=1e5, waiting=(("S1", 0.4),))
    held = replace(spent, weights=spent.waiting, waiting=())
    assert size(holdings=spent) == size(holdings=held)
