"""Features against the same formulas written with pandas, scipy and TA-Lib."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import talib
from scipy import stats

from slices.data.adapters.embedded import open_embedded
from slices.domain.bars import Adjustment
from slices.ml_strategy.features.computing import feature_frame
from slices.quant.panel import Panel, read_panel
from tests.slices.quant.market import us_closes
from tests.support.frames import load

ROW = 700
WIDE = (
    "momentum_252_21", "trend_slope_63", "trend_fit_252", "average_cross_50_200", "z_score_20",
    "relative_strength_14", "variance_ratio_126_5", "autocorrelation_63", "volatility_21",
    "skewness_63", "kurtosis_126", "tail_loss_252", "downside_volatility_63",
    "deepest_drawdown_126", "volatility_of_volatility_126", "efficiency_21", "beta_252",
    "own_volatility_126", "residual_momentum_252_21", "rank_momentum_63", "market_momentum_252",
    "market_volatility_21", "market_drawdown_252", "breadth_200", "dispersion_21",
    "average_correlation_63", "reversal_1_x_dispersion",
)  # fmt: skip
TRADED = (
    "reversal_5", "z_score_20", "channel_place_21", "stochastic_14", "true_range_14",
    "parkinson_21", "garman_klass_63", "amihud_21", "signed_volume_21", "volume_z_21",
    "volume_return_correlation_63", "overnight_share_63", "close_place_1",
)  # fmt: skip


@pytest.fixture(scope="module")
def closes() -> pd.DataFrame:
    sessions, symbols, values = us_closes()
    return pd.DataFrame(values[-800:], index=list(sessions[-800:]), columns=list(symbols))


@pytest.fixture(scope="module")
def wide(closes: pd.DataFrame) -> dict[str, np.ndarray]:
    panel = Panel(
        symbols=tuple(closes.columns),
        sessions=tuple(closes.index),
        close=closes.to_numpy(),
        periods_per_year=252,
    )
    return at_row(panel, WIDE, ROW)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    source = open_embedded("us_ohlcv5", ["IBM", "MSFT"])
    folder = tmp_path_factory.mktemp("bars")
    panel = read_panel(load(source, folder, "IBM", "MSFT", adjustment=Adjustment.SPLIT))
    return panel.between(0, 800)


@pytest.fixture(scope="module")
def traded(bars: Panel) -> dict[str, np.ndarray]:
    return at_row(bars, TRADED, ROW)


def at_row(panel: Panel, names: tuple[str, ...], row: int) -> dict[str, np.ndarray]:
    frame = feature_frame(panel, names)
    rows = frame.filter(frame["session"] == panel.sessions[row])
    assert rows["symbol"].to_list() == list(panel.symbols)
    return {name: rows[name].to_numpy() for name in names}


def returns(closes: pd.DataFrame) -> pd.DataFrame:
    return closes.pct_change(fill_method=None)


def line_of(values: np.ndarray) -> tuple[float, float]:
    fit = stats.linregress(np.arange(values.size), np.log(values))
    return float(fit.slope), float(fit.rvalue**2)


def gains_share(window: pd.Series) -> float:
    return float(window[window > 0].sum() / window.abs().sum())


def test_momentum_and_trend(closes: pd.DataFrame, wide: dict[str, np.ndarray]) -> None:
    momentum = closes.iloc[ROW - 21] / closes.iloc[ROW - 252] - 1
    assert wide["momentum_252_21"] == pytest.approx(momentum.to_numpy())
    slopes = [line_of(closes[name].to_numpy()[ROW - 62 : ROW + 1])[0] for name in closes]
    assert wide["trend_slope_63"] == pytest.approx(slopes, rel=1e-9)
    fits = [line_of(closes[name].to_numpy()[ROW - 251 : ROW + 1])[1] for name in closes]
    assert wide["trend_fit_252"] == pytest.approx(fits, rel=1e-8)
    cross = closes.rolling(50).mean() / closes.rolling(200).mean() - 1
    assert wide["average_cross_50_200"] == pytest.approx(cross.iloc[ROW].to_numpy())
    logs = np.log(closes)
    way = (logs - logs.shift(21)) / logs.diff().abs().rolling(21).sum()
    assert wide["efficiency_21"] == pytest.approx(way.iloc[ROW].to_numpy())


def test_reversal(closes: pd.DataFrame, wide: dict[str, np.ndarray]) -> None:
    z = (closes - closes.rolling(20).mean()) / closes.rolling(20).std(ddof=0)
    assert wide["z_score_20"] == pytest.approx(z.iloc[ROW].to_numpy())
    strength = returns(closes).iloc[ROW - 13 : ROW + 1].apply(gains_share)
    assert wide["relative_strength_14"] == pytest.approx(strength.to_numpy())
    long = closes.pct_change(5, fill_method=None).rolling(126).var()
    ratio = long / returns(closes).rolling(126).var() / 5
    assert wide["variance_ratio_126_5"] == pytest.approx(ratio.iloc[ROW].to_numpy())
    r = returns(closes).to_numpy()
    pairs = [
        np.corrcoef(r[ROW - 62 : ROW + 1, i], r[ROW - 63 : ROW, i])[0, 1]
        for i in range(closes.shape[1])
    ]
    assert wide["autocorrelation_63"] == pytest.approx(pairs)


def test_shape_of_returns(closes: pd.DataFrame, wide: dict[str, np.ndarray]) -> None:
    r = returns(closes).iloc[: ROW + 1]
    assert wide["volatility_21"] == pytest.approx(r.iloc[-21:].std().to_numpy())
    assert wide["skewness_63"] == pytest.approx(r.iloc[-63:].skew().to_numpy(), rel=1e-7)
    assert wide["kurtosis_126"] == pytest.approx(r.iloc[-126:].kurt().to_numpy(), rel=1e-7)
    tail = -r.iloc[-252:].quantile(0.05)
    assert wide["tail_loss_252"] == pytest.approx(tail.to_numpy())
    losses = r.iloc[-63:].clip(upper=0)
    assert wide["downside_volatility_63"] == pytest.approx(np.sqrt((losses**2).mean()).to_numpy())
    dips = (1 - closes / closes.rolling(126).max()).iloc[ROW - 125 : ROW + 1].max()
    assert wide["deepest_drawdown_126"] == pytest.approx(dips.to_numpy())
    moves = r.rolling(21).std().iloc[-126:]
    assert wide["volatility_of_volatility_126"] == pytest.approx(
        (moves.std() / moves.mean()).to_numpy()
    )


def test_a_symbol_beside_the_market(closes: pd.DataFrame, wide: dict[str, np.ndarray]) -> None:
    r = returns(closes).iloc[: ROW + 1]
    market = r.mean(axis=1)
    fits = [stats.linregress(market.iloc[-252:], r[name].iloc[-252:]).slope for name in r]
    assert wide["beta_252"] == pytest.approx(fits)
    own = [
        r[name].iloc[-126:].std()
        * np.sqrt(1 - np.corrcoef(r[name].iloc[-126:], market.iloc[-126:])[0, 1] ** 2)
        for name in r
    ]
    assert wide["own_volatility_126"] == pytest.approx(own)
    parts = r.iloc[-252:-21].sum() - np.array(fits) * market.iloc[-252:-21].sum()
    scaled = parts / (r.iloc[-252:].std() * np.sqrt(231))
    assert wide["residual_momentum_252_21"] == pytest.approx(scaled.to_numpy())


def test_ranks_and_interactions(closes: pd.DataFrame, wide: dict[str, np.ndarray]) -> None:
    momentum = closes.pct_change(63, fill_method=None).iloc[ROW]
    ranks = (stats.rankdata(momentum) - 1) / (closes.shape[1] - 1) - 0.5
    assert wide["rank_momentum_63"] == pytest.approx(ranks)
    last = (stats.rankdata(-returns(closes).iloc[ROW]) - 1) / (closes.shape[1] - 1) - 0.5
    spread = closes.pct_change(21, fill_method=None).iloc[ROW].std()
    assert wide["reversal_1_x_dispersion"] == pytest.approx(last * spread)


def test_state_of_the_market(closes: pd.DataFrame, wide: dict[str, np.ndarray]) -> None:
    r = returns(closes).iloc[: ROW + 1]
    market = r.mean(axis=1)
    level = (1 + market).cumprod()
    expected = {
        "market_momentum_252": (1 + market.iloc[-252:]).prod() - 1,
        "market_volatility_21": market.iloc[-21:].std(),
        "market_drawdown_252": 1 - level.iloc[-1] / level.iloc[-252:].max(),
        "breadth_200": (closes > closes.rolling(200).mean()).iloc[ROW].mean(),
        "dispersion_21": closes.pct_change(21, fill_method=None).iloc[ROW].std(),
    }
    for name, value in expected.items():
        assert wide[name] == pytest.approx(np.full(closes.shape[1], value)), name
    deviations = r.iloc[-63:].std().to_numpy()
    together = r.iloc[-63:].corr().to_numpy() * np.outer(deviations, deviations)
    apart = ~np.eye(deviations.size, dtype=bool)
    average = together[apart].sum() / np.outer(deviations, deviations)[apart].sum()
    assert wide["average_correlation_63"] == pytest.approx(np.full(deviations.size, average))


@pytest.mark.parametrize("place", [0, 1])
def test_features_as_ta_lib_has_them(
    bars: Panel, traded: dict[str, np.ndarray], place: int
) -> None:
    high, low, close = (
        np.ascontiguousarray(v[:, place]) for v in (bars.high, bars.low, bars.close)
    )
    upper, middle, lower = talib.BBANDS(close, 20, 1, 1)
    fast, _ = talib.STOCHF(high, low, close, 14, 1)
    ranges = talib.SMA(talib.TRANGE(high, low, close)[1:], 14)
    top, bottom = talib.MAX(close, 21)[ROW], talib.MIN(close, 21)[ROW]
    expected = {
        "reversal_5": -talib.ROCP(close, 5)[ROW],
        "z_score_20": 2 * (close - middle)[ROW] / (upper - lower)[ROW],
        "stochastic_14": fast[ROW] / 100,
        "true_range_14": ranges[ROW - 1] / close[ROW],
        "channel_place_21": (close[ROW] - bottom) / (top - bottom),
    }
    for name, value in expected.items():
        assert traded[name][place] == pytest.approx(value, rel=1e-7), name


@pytest.mark.parametrize("place", [0, 1])
def test_ranges_and_volumes(bars: Panel, traded: dict[str, np.ndarray], place: int) -> None:
    frame = pd.DataFrame(
        {n: getattr(bars, n)[: ROW + 1, place] for n in ("open", "high", "low", "close", "volume")}
    )
    r, spans = frame.close.pct_change(), np.log(frame.high / frame.low) ** 2
    bodies = np.log(frame.close / frame.open) ** 2
    nights, days = frame.open / frame.close.shift() - 1, frame.close / frame.open - 1
    month, quarter = slice(-21, None), slice(-63, None)
    night = (nights[quarter] ** 2).sum()
    logs = np.log(frame.volume)
    klass = (spans / 2 - (2 * np.log(2) - 1) * bodies)[quarter].mean()
    expected = {
        "parkinson_21": np.sqrt(spans[month].mean() / (4 * np.log(2))),
        "garman_klass_63": np.sqrt(klass),
        "amihud_21": np.log((r.abs() / frame.close / frame.volume)[month].mean()),
        "signed_volume_21": (np.sign(r) * frame.volume)[month].sum() / frame.volume[month].sum(),
        "volume_z_21": (logs.iloc[-1] - logs[month].mean()) / logs[month].std(),
        "volume_return_correlation_63": r[quarter].corr(logs[quarter]),
        "overnight_share_63": night / (night + (days[quarter] ** 2).sum()),
        "close_place_1": ((frame.close - frame.low) / (frame.high - frame.low)).iloc[-1],
    }
    for name, value in expected.items():
        assert traded[name][place] == pytest.approx(value, rel=1e-7), name


CALENDAR = ("weekday", "month_place", "turn_of_month", "expiry_week", "closed_days")


@pytest.mark.parametrize(
    ("session", "before", "expected"),
    [
        ("2024-07-01", "2024-06-28", (-1.0, 0.0, 1.0, 0.0, 3.0)),
        ("2024-07-03", "2024-07-02", (0.0, 2 / 22, 1.0, 0.0, 1.0)),
        ("2024-07-05", "2024-07-03", (1.0, 4 / 22, 0.0, 0.0, 2.0)),
        ("2024-07-15", "2024-07-12", (-1.0, 10 / 22, 0.0, 1.0, 3.0)),
        ("2024-05-31", "2024-05-30", (1.0, 1.0, 1.0, 0.0, 1.0)),
    ],
)
def test_the_calendar(session: str, before: str, expected: tuple[float, ...]) -> None:
    panel = Panel(
        symbols=("A",),
        sessions=(dt.date.fromisoformat(before), dt.date.fromisoformat(session)),
        close=np.array([[1.0], [2.0]]),
        periods_per_year=252,
    )
    row = feature_frame(panel, CALENDAR).row(1)
    assert row[2:] == pytest.approx(expected)
