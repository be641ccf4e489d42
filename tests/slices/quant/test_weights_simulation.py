"""The simulation of target weights: its contract, and a plain reference equal to 1e-12."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import BadDataError, ParameterError
from slices.quant.simulation import kernels
from slices.quant.simulation.weights import WeightSimulation, trade_weights
from tests.slices.quant.market import us_closes
from tests.slices.quant.test_kernels import interpreted

Market = tuple[np.ndarray, np.ndarray, np.ndarray, float]


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Closes, fill prices, target weights and a cost rate."""
    random = np.random.default_rng(draw(st.integers(0, 100_000)))
    sessions, symbols = draw(st.integers(2, 40)), draw(st.integers(1, 5))
    closes = 50 * np.exp(np.cumsum(random.normal(0, 0.03, (sessions, symbols)), axis=0))
    fills = closes * np.exp(random.normal(0, 0.01, closes.shape))
    targets = random.dirichlet(np.ones(symbols + 1), sessions)[:, :symbols]
    targets *= random.uniform(size=targets.shape) > 0.2
    targets[random.uniform(size=sessions) > draw(st.sampled_from([0.1, 0.5, 1.0]))] = np.nan
    return closes, fills, targets, draw(st.sampled_from([0.0, 0.001, 0.05, 0.5]))


def run(market: Market, capital: float = 1e5) -> WeightSimulation:
    closes, fills, targets, rate = market
    return trade_weights(closes, fills, targets, cost_rate=rate, capital=capital)


def reference(market: Market, capital: float = 1e5) -> tuple[list[float], list[float]]:
    """Equity and costs by bisection for the post-cost equity, one symbol after the other."""
    closes, fills, targets, rate = market
    cash, shares, equity, costs = capital, [0.0] * closes.shape[1], [], []
    for t, close in enumerate(closes):
        decided = targets[t - 1] if t else np.full(len(shares), np.nan)
        if not np.isnan(decided).any():
            values = [held * price for held, price in zip(shares, fills[t], strict=True)]
            before = cash + sum(values)

            def spent(left: float, values: list = values, decided: np.ndarray = decided) -> float:
                wanted = [left * weight for weight in decided]
                traded = (abs(w - v) for w, v in zip(wanted, values, strict=True))
                return left + rate * sum(traded)

            low, high = 0.0, before
            for _ in range(200):
                middle = (low + high) / 2
                low, high = (middle, high) if spent(middle) < before else (low, middle)
            left = (low + high) / 2
            shares = [left * w / p for w, p in zip(decided, fills[t], strict=True)]
            costs.append(before - left)
            cash = left * (1 - sum(decided))
        equity.append(cash + sum(held * price for held, price in zip(shares, close, strict=True)))
    return equity, costs


@given(markets())
def test_the_kernel_equals_a_plain_reference(market: Market) -> None:
    account = run(market)
    equity, costs = reference(market)
    assert account.equity == pytest.approx(equity, rel=1e-12)
    assert account.costs.sum(axis=1) == pytest.approx(costs, rel=1e-9, abs=1e-6)


@given(markets())
def test_the_kernel_equals_its_own_text_in_python(market: Market) -> None:
    compiled = run(market)
    with pytest.MonkeyPatch.context() as patch:
        interpreted(kernels, patch)
        plain = run(market)
    assert compiled.equity == pytest.approx(plain.equity, rel=1e-12)
    assert compiled.quantities == pytest.approx(plain.quantities, rel=1e-12, abs=1e-12)


@given(markets())
def test_the_ledger_adds_up_at_every_bar(market: Market) -> None:
    account = run(market)
    closes = market[0]
    flows = (account.quantities * account.prices).sum(axis=1) + account.costs.sum(axis=1)
    cash, shares = 1e5, np.zeros(closes.shape[1])
    following = 0
    for t in range(len(closes)):
        if following < account.fill_rows.size and account.fill_rows[following] == t:
            cash -= flows[following]
            shares = shares + account.quantities[following]
            following += 1
        assert account.cash[t] == pytest.approx(cash, rel=1e-9, abs=1e-9 * account.equity[t])
        assert account.shares[t] == pytest.approx(shares, rel=1e-9, abs=1e-9)
        assert account.equity[t] == pytest.approx(cash + shares @ closes[t], rel=1e-9)
    assert following == account.fill_rows.size


@given(markets(), st.data())
def test_a_prefix_gives_the_same_past(market: Market, data: st.DataObject) -> None:
    closes, fills, targets, rate = market
    length = data.draw(st.integers(1, len(closes)))
    whole, part = run(market), run((closes[:length], fills[:length], targets[:length], rate))
    assert np.array_equal(part.equity, whole.equity[:length])
    assert np.array_equal(part.shares, whole.shares[:length])
    assert np.array_equal(part.quantities, whole.quantities[: len(part.quantities)])


@given(markets(), st.data())
def test_what_happens_on_a_day_changes_nothing_before(market: Market, data: st.DataObject) -> None:
    closes, fills, targets, rate = market
    day = data.draw(st.integers(0, len(closes) - 1))
    changed_closes, changed_fills, changed_targets = closes.copy(), fills.copy(), targets.copy()
    changed_closes[day] *= 1.7
    changed_fills[day] *= 0.6
    changed_targets[day] = 0.0
    before, after = run(market), run((changed_closes, changed_fills, changed_targets, rate))
    assert np.array_equal(before.equity[:day], after.equity[:day])
    assert np.array_equal(before.shares[:day], after.shares[:day])


@given(markets(), st.floats(0.01, 100))
def test_the_scale_of_prices_does_not_matter(market: Market, scale: float) -> None:
    closes, fills, targets, rate = market
    scaled = run((closes * scale, fills * scale, targets, rate))
    assert scaled.equity == pytest.approx(run(market).equity, rel=1e-9)


@given(markets(), st.floats(1.0, 1e9))
def test_the_capital_scales_everything(market: Market, capital: float) -> None:
    assert run(market, capital).equity / capital == pytest.approx(
        run(market).equity / 1e5, rel=1e-9
    )


@given(markets())
def test_the_order_of_symbols_does_not_matter(market: Market) -> None:
    closes, fills, targets, rate = market
    turned = run((closes[:, ::-1], fills[:, ::-1], targets[:, ::-1], rate))
    account = run(market)
    assert turned.equity == pytest.approx(account.equity, rel=1e-10)
    assert turned.shares[:, ::-1] == pytest.approx(account.shares, rel=1e-9, abs=1e-9)


@given(markets())
def test_costs_never_help(market: Market) -> None:
    *prices, _ = market
    finals = [run((*prices, rate)).equity[-1] for rate in (0.0, 0.001, 0.01, 0.1)]
    assert all(a >= b - 1e-9 * a for a, b in itertools.pairwise(finals))


def test_without_costs_constant_weights_earn_the_product_of_returns() -> None:
    closes = us_closes()[2][:500]
    weights = np.full(20, 0.05)
    account = trade_weights(
        closes, closes, np.tile(weights, (500, 1)), cost_rate=0.0, capital=1000.0
    )
    returns = closes[2:] / closes[1:-1] - 1.0
    expected = 1000.0 * np.prod(1.0 + returns @ weights)
    assert account.equity[-1] == pytest.approx(expected, rel=1e-12)


def test_one_purchase_reserves_its_fee() -> None:
    prices = np.array([[100.0], [100.0]])
    account = trade_weights(
        prices, prices, np.array([[1.0], [np.nan]]), cost_rate=0.01, capital=1010.0
    )
    assert account.shares[1, 0] == pytest.approx(1010.0 / (100 * 1.01), rel=1e-15)
    assert account.cash[1] == pytest.approx(0.0, abs=1e-9)
    assert account.costs[0, 0] == pytest.approx(10.0, rel=1e-12)
    assert account.turnover == pytest.approx([1000 / 1010 / 2])


def test_leaving_a_position_leaves_exactly_no_shares() -> None:
    closes = us_closes()[2][:4, :3]
    targets = np.array([[0.3, 0.3, 0.4], [0.0, 0.5, 0.5], [0.0, 0.0, 0.0], [np.nan] * 3])
    account = trade_weights(closes, closes, targets, cost_rate=0.001, capital=777.77)
    assert account.shares[2, 0] == 0.0
    assert account.shares[3].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("plain", [False, True])
def test_a_position_at_its_target_is_not_traded(
    monkeypatch: pytest.MonkeyPatch, *, plain: bool
) -> None:
    if plain:
        interpreted(kernels, monkeypatch)
    prices = np.full((4, 2), 10.0)
    targets = np.tile([0.5, 0.5], (4, 1))
    account = trade_weights(prices, prices, targets, cost_rate=0.0, capital=100.0)
    assert account.quantities.tolist() == [[5.0, 5.0], [0.0, 0.0], [0.0, 0.0]]


def test_a_decision_at_the_last_session_stays_pending() -> None:
    prices = np.full((3, 1), 10.0)
    account = trade_weights(
        prices, prices, np.array([[np.nan], [np.nan], [1.0]]), cost_rate=0.0, capital=100.0
    )
    assert account.pending.tolist() == [1.0]
    assert account.fill_rows.size == 0
    assert account.equity.tolist() == [100.0] * 3


def test_without_a_decision_nothing_happens() -> None:
    prices = np.full((3, 1), 10.0)
    account = trade_weights(prices, prices, np.full((3, 1), np.nan), cost_rate=0.1, capital=100.0)
    assert account.pending is None
    assert account.equity.tolist() == [100.0] * 3


def test_fills_happen_at_the_next_sessions_price() -> None:
    closes, fills = np.array([[10.0], [20.0]]), np.array([[1.0], [16.0]])
    account = trade_weights(
        closes, fills, np.array([[1.0], [np.nan]]), cost_rate=0.0, capital=160.0
    )
    assert account.prices.tolist() == [[16.0]]
    assert account.equity.tolist() == [160.0, 200.0]


PRICES = np.full((3, 2), 10.0)


@pytest.mark.parametrize(
    ("closes", "fills"),
    [
        (PRICES, PRICES[:2]),
        (PRICES[0], PRICES[0]),
        (np.where(np.eye(3, 2) > 0, np.nan, PRICES), PRICES),
        (PRICES, PRICES * 0.0),
    ],
)
def test_prices_that_are_missing_or_not_positive_are_refused(
    closes: np.ndarray, fills: np.ndarray
) -> None:
    with pytest.raises(BadDataError):
        trade_weights(closes, fills, np.zeros((3, 2)), cost_rate=0.0, capital=1.0)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ([0.5, np.nan], "a row with some weights missing or infinite"),
        ([0.5, np.inf], "a row with some weights missing or infinite"),
        ([0.8, 0.3], "highest sum 1.1"),
        ([-0.1, 0.3], "lowest -0.1"),
    ],
)
def test_weights_that_are_not_allowed_are_refused(row: list[float], found: str) -> None:
    targets = np.full((3, 2), np.nan)
    targets[1] = row
    with pytest.raises(BadDataError, match=found):
        trade_weights(PRICES, PRICES, targets, cost_rate=0.0, capital=1.0)


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(BadDataError, match=r"found shape \(2, 2\)"):
        trade_weights(PRICES, PRICES, np.zeros((2, 2)), cost_rate=0.0, capital=1.0)


@pytest.mark.parametrize(("rate", "capital"), [(-0.1, 1.0), (1.0, 1.0), (0.0, 0.0), (0.0, np.inf)])
def test_money_that_is_not_allowed_is_refused(rate: float, capital: float) -> None:
    with pytest.raises(ParameterError):
        trade_weights(PRICES, PRICES, np.zeros((3, 2)), cost_rate=rate, capital=capital)
