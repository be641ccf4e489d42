"""Rules that know the future, each in its own way, and clean ones that look like them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from hmmlearn.hmm import GaussianHMM
from scipy import signal as filters

from slices.domain.errors import InsufficientHistoryError
from slices.quant.panel import Panel


def closes(panel: Panel) -> pd.DataFrame:
    return pd.DataFrame(panel.close, index=pd.DatetimeIndex(panel.sessions))


def returns(panel: Panel) -> pd.DataFrame:
    return closes(panel).ffill().pct_change().fillna(0.0)


def sides(values: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Long where positive, short where negative, flat where missing."""
    return np.sign(np.nan_to_num(np.asarray(values, dtype=float)))


def everywhere(panel: Panel, values: np.ndarray) -> np.ndarray:
    """The same decision for all symbols."""
    return np.repeat(np.asarray(values, dtype=float)[:, None], len(panel.symbols), axis=1)


def market(panel: Panel) -> np.ndarray:
    return returns(panel).mean(axis=1).to_numpy()


def next_session_return(panel: Panel) -> np.ndarray:
    return sides(returns(panel).shift(-1))


def rolled_the_wrong_way(panel: Panel) -> np.ndarray:
    return sides(np.roll(returns(panel).to_numpy(), -1, axis=0))


def wrapped_around(panel: Panel) -> np.ndarray:
    return sides(np.roll(returns(panel).to_numpy(), 1, axis=0))


def centred_moving_average(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill()
    return sides(prices.rolling(21, center=True).mean() - prices)


def off_by_one_window(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill()
    return sides(prices.rolling(10).mean().shift(-1) - prices)


def full_sample_zscore(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill()
    return np.clip(np.nan_to_num(-(prices - prices.mean()) / prices.std()), -1, 1)


def full_sample_min_max(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill()
    return sides(0.5 - (prices - prices.min()) / (prices.max() - prices.min()))


def full_sample_quantiles(panel: Panel) -> np.ndarray:
    moves = returns(panel)
    return (moves < moves.quantile(0.1)).to_numpy(dtype=float)


def full_sample_volatility(panel: Panel) -> np.ndarray:
    moves = returns(panel)
    return np.clip(sides(moves) * np.asarray(0.002 / (moves.std() + 1e-4)), -1, 1)


def full_sample_extremes(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill()
    return -(prices >= prices.max() * 0.98).to_numpy(dtype=float)


def full_sample_trend_removed(panel: Panel) -> np.ndarray:
    prices = np.log(closes(panel).ffill().bfill().fillna(1.0).to_numpy())
    return sides(-filters.detrend(prices, axis=0))


def backfilled_holes(panel: Panel) -> np.ndarray:
    return sides(closes(panel).bfill().pct_change(5, fill_method=None))


def interpolated_holes(panel: Panel) -> np.ndarray:
    return sides(closes(panel).interpolate().pct_change(5, fill_method=None))


def exit_before_the_low(panel: Panel) -> np.ndarray:
    lows, prices = pd.DataFrame(panel.low), pd.DataFrame(panel.close)
    return 1.0 - (lows.shift(-1) < prices * 0.98).to_numpy(dtype=float)


def exit_before_the_high_is_missed(panel: Panel) -> np.ndarray:
    highs, prices = pd.DataFrame(panel.high), pd.DataFrame(panel.close)
    return (highs.rolling(5).max().shift(-5) > prices * 1.03).to_numpy(dtype=float)


def gap_of_the_next_open(panel: Panel) -> np.ndarray:
    return sides(pd.DataFrame(panel.open).shift(-1) - pd.DataFrame(panel.close))


def best_of_the_full_period(panel: Panel) -> np.ndarray:
    growth = (1.0 + returns(panel)).prod().to_numpy()
    return np.tile((growth >= np.sort(growth)[-2]).astype(float), (len(panel.sessions), 1))


def survivors_only(panel: Panel) -> np.ndarray:
    alive = np.isfinite(panel.close[-20:]).any(axis=0)
    return np.tile(alive.astype(float), (len(panel.sessions), 1))


def sorted_by_future_drawdown(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill().bfill().fillna(1.0)
    lowest = prices[::-1].rolling(60, min_periods=1).min()[::-1]
    depth = 1.0 - lowest / prices
    return (depth.rank(axis=1) <= 2).to_numpy(dtype=float)


def forward_return_rank(panel: Panel) -> np.ndarray:
    forward = closes(panel).ffill().pct_change(5).shift(-5)
    return (forward.rank(axis=1) >= 4).to_numpy(dtype=float)


def label_among_features(panel: Panel) -> np.ndarray:
    label = np.sign(closes(panel).ffill().pct_change(10).shift(-10))
    return sides(label.rolling(20, min_periods=1).mean())


def unpurged_folds(panel: Panel) -> np.ndarray:
    """Predict each session by a model fitted on the sessions of the other folds, later ones too."""
    moves = market(panel)
    features = np.stack([np.roll(moves, lag) for lag in range(1, 6)], axis=1)
    fold = np.random.default_rng(0).integers(0, 5, 10_000)[: moves.size]
    predicted = np.zeros(moves.size)
    for each in range(5):
        inside = fold != each
        weights = np.linalg.lstsq(features[inside], moves[inside], rcond=None)[0]
        predicted[~inside] = features[~inside] @ weights
    return everywhere(panel, np.sign(predicted))


def month_end_joined_at_its_start(panel: Panel) -> np.ndarray:
    monthly = closes(panel).ffill().resample("ME").last()
    whole = monthly.pct_change(fill_method=None).reindex(closes(panel).index, method="bfill")
    return sides(whole)


def week_known_on_its_monday(panel: Panel) -> np.ndarray:
    moves = returns(panel)
    return sides(moves.groupby(moves.index.to_period("W")).transform("sum"))


def future_volume(panel: Panel) -> np.ndarray:
    volume = pd.DataFrame(panel.volume)
    return (volume.shift(-1) > volume.rolling(20).mean()).to_numpy(dtype=float)


def savitzky_golay(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill().bfill().fillna(1.0).to_numpy()
    return sides(filters.savgol_filter(prices, 15, 2, deriv=1, axis=0))


def zero_phase_filter(panel: Panel) -> np.ndarray:
    numerator, denominator = filters.butter(2, 0.1)
    prices = closes(panel).ffill().bfill().fillna(1.0).to_numpy()
    smooth = filters.filtfilt(numerator, denominator, prices, axis=0)
    return sides(np.diff(smooth, axis=0, prepend=smooth[:1]))


def fourier_low_pass(panel: Panel) -> np.ndarray:
    spectrum = np.fft.rfft(returns(panel).to_numpy(), axis=0)
    spectrum[spectrum.shape[0] // 10 :] = 0.0
    return sides(np.fft.irfft(spectrum, n=len(panel.sessions), axis=0))


def full_sample_components(panel: Panel) -> np.ndarray:
    moves = returns(panel).to_numpy()
    _, _, directions = np.linalg.svd(moves - moves.mean(axis=0), full_matrices=False)
    return sides(-(moves - np.outer(moves @ directions[0], directions[0])))


def full_sample_parameters(panel: Panel) -> np.ndarray:
    """Trade the moving average that would have paid best."""
    prices = closes(panel).ffill()
    moves = returns(panel)
    rules = [sides(prices - prices.rolling(n).mean()) for n in range(3, 60, 3)]
    gains = [(rule[:-1] * moves.to_numpy()[1:]).sum() for rule in rules]
    return rules[int(np.argmax(gains))]


def _regimes() -> GaussianHMM:
    model = GaussianHMM(n_components=2, covariance_type="diag")
    model.startprob_ = np.array([0.5, 0.5])
    model.transmat_ = np.array([[0.97, 0.03], [0.05, 0.95]])
    model.means_, model.covars_ = np.array([[0.001], [-0.001]]), np.array([[5e-5], [4e-4]])
    return model


def smoothed_regime_probabilities(panel: Panel) -> np.ndarray:
    return everywhere(panel, _regimes().predict_proba(market(panel)[:, None])[:, 0])


def most_likely_regime_path(panel: Panel) -> np.ndarray:
    return everywhere(panel, 1.0 - _regimes().predict(market(panel)[:, None]))


def adjustment_known_in_advance(panel: Panel) -> np.ndarray:
    """Judge the level of a price that later events have scaled."""
    prices = closes(panel).ffill()
    return (prices / prices.iloc[-1] < 0.9).to_numpy(dtype=float)


def turning_points(panel: Panel) -> np.ndarray:
    decisions = np.zeros(panel.close.shape)
    for column, prices in enumerate(closes(panel).ffill().bfill().fillna(1.0).to_numpy().T):
        decisions[filters.find_peaks(prices, distance=10)[0], column] = -1.0
        decisions[filters.find_peaks(-prices, distance=10)[0], column] = 1.0
    return decisions


def repainted_last_row(panel: Panel) -> np.ndarray:
    return sides(np.gradient(closes(panel).ffill().bfill().fillna(1.0).to_numpy(), axis=0))


def last_row_alone(panel: Panel) -> np.ndarray:
    """Momentum, but the newest decision is another until the next bar is there."""
    decisions = momentum(panel)
    decisions[-1] = -decisions[-1]
    return decisions


def one_symbol_alone(panel: Panel) -> np.ndarray:
    decisions = momentum(panel)
    decisions[:, 3] = next_session_return(panel)[:, 3]
    return decisions


def one_session_in_hundred(panel: Panel) -> np.ndarray:
    decisions = momentum(panel)
    decisions[50::100] = next_session_return(panel)[50::100]
    return decisions


def after_large_moves_alone(panel: Panel) -> np.ndarray:
    """Look ahead on the few sessions that follow a fall of the market of 3 %."""
    rare = market(panel) < -0.03
    return np.where(rare[:, None], next_session_return(panel), momentum(panel))


def only_two_sessions_ahead(panel: Panel) -> np.ndarray:
    decisions = momentum(panel)
    decisions[20::50] = sides(returns(panel).shift(-2))[20::50]
    return decisions


LEAKS = (
    next_session_return,
    rolled_the_wrong_way,
    wrapped_around,
    centred_moving_average,
    off_by_one_window,
    full_sample_zscore,
    full_sample_min_max,
    full_sample_quantiles,
    full_sample_volatility,
    full_sample_extremes,
    full_sample_trend_removed,
    backfilled_holes,
    interpolated_holes,
    exit_before_the_low,
    exit_before_the_high_is_missed,
    gap_of_the_next_open,
    best_of_the_full_period,
    survivors_only,
    sorted_by_future_drawdown,
    forward_return_rank,
    label_among_features,
    unpurged_folds,
    month_end_joined_at_its_start,
    week_known_on_its_monday,
    future_volume,
    savitzky_golay,
    zero_phase_filter,
    fourier_low_pass,
    full_sample_components,
    full_sample_parameters,
    smoothed_regime_probabilities,
    most_likely_regime_path,
    adjustment_known_in_advance,
    turning_points,
    repainted_last_row,
    last_row_alone,
    one_symbol_alone,
    one_session_in_hundred,
    after_large_moves_alone,
    only_two_sessions_ahead,
)


def momentum(panel: Panel) -> np.ndarray:
    return sides(closes(panel).ffill().pct_change(20))


def previous_session_return(panel: Panel) -> np.ndarray:
    return sides(returns(panel).shift(1))


def trailing_moving_average(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill()
    return sides(prices.rolling(21).mean() - prices)


def trailing_zscore(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill()
    window = prices.rolling(60)
    return np.clip(np.nan_to_num(-(prices - window.mean()) / window.std()), -1, 1)


def expanding_min_max(panel: Panel) -> np.ndarray:
    prices = closes(panel).ffill()
    low, high = prices.expanding().min(), prices.expanding().max()
    return sides(0.5 - (prices - low) / (high - low))


def expanding_quantiles(panel: Panel) -> np.ndarray:
    moves = returns(panel)
    return (moves < moves.expanding(50).quantile(0.1)).to_numpy(dtype=float)


def forward_filled_holes(panel: Panel) -> np.ndarray:
    return sides(closes(panel).ffill().pct_change(5, fill_method=None))


def exit_after_the_low(panel: Panel) -> np.ndarray:
    lows, prices = pd.DataFrame(panel.low), pd.DataFrame(panel.close)
    return 1.0 - (lows < prices.shift(1) * 0.98).to_numpy(dtype=float)


def month_end_joined_after_its_end(panel: Panel) -> np.ndarray:
    index = closes(panel).index
    monthly = closes(panel).ffill().resample("ME").last().pct_change(fill_method=None).shift(1)
    return sides(monthly.reindex(index, method="bfill"))


def trailing_volume(panel: Panel) -> np.ndarray:
    volume = pd.DataFrame(panel.volume)
    return (volume > volume.rolling(20).mean()).to_numpy(dtype=float)


def causal_filter(panel: Panel) -> np.ndarray:
    numerator, denominator = filters.butter(2, 0.1)
    smooth = filters.lfilter(numerator, denominator, returns(panel).to_numpy(), axis=0)
    return sides(smooth)


def trailing_components(panel: Panel) -> np.ndarray:
    moves = returns(panel).to_numpy()
    decisions = np.zeros(moves.shape)
    for start in range(120, moves.shape[0], 40):
        _, _, directions = np.linalg.svd(moves[:start], full_matrices=False)
        rows = moves[start : start + 40]
        decisions[start : start + 40] = -sides(rows - np.outer(rows @ directions[0], directions[0]))
    return decisions


def walk_forward_parameters(panel: Panel) -> np.ndarray:
    prices, moves = closes(panel).ffill(), returns(panel).to_numpy()
    rules = [sides(prices - prices.rolling(n).mean()) for n in range(3, 60, 6)]
    gains = [np.cumsum((rule[:-1] * moves[1:]).sum(axis=1)) for rule in rules]
    decisions = np.zeros(moves.shape)
    for start in range(60, moves.shape[0], 60):
        best = int(np.argmax([gain[start - 2] for gain in gains]))
        decisions[start : start + 60] = rules[best][start : start + 60]
    return decisions


def filtered_regime_probabilities(panel: Panel) -> np.ndarray:
    model, moves = _regimes(), market(panel)
    variances = np.array([5e-5, 4e-4])
    density = np.exp(-((moves[:, None] - model.means_[:, 0]) ** 2) / (2 * variances))
    density /= np.sqrt(variances)
    state, probabilities = model.startprob_, np.zeros((moves.size, 2))
    for row in range(moves.size):
        state = (state @ model.transmat_ if row else state) * density[row]
        state = state / state.sum() if state.sum() > 0 else model.startprob_
        probabilities[row] = state
    return everywhere(panel, probabilities[:, 0])


def seeded_coin(panel: Panel) -> np.ndarray:
    return np.sign(np.random.default_rng(1).normal(size=panel.close.shape))


def always_invested(panel: Panel) -> np.ndarray:
    return np.isfinite(panel.close).astype(float)


def never_invested(panel: Panel) -> np.ndarray:
    return np.full(panel.close.shape, np.nan)


def demanding_history(panel: Panel) -> np.ndarray:
    if len(panel.sessions) < 300:
        raise InsufficientHistoryError(symbol="all", needed=300, found=len(panel.sessions))
    return momentum(panel)


CLEAN = (
    momentum,
    previous_session_return,
    trailing_moving_average,
    trailing_zscore,
    expanding_min_max,
    expanding_quantiles,
    forward_filled_holes,
    exit_after_the_low,
    month_end_joined_after_its_end,
    trailing_volume,
    causal_filter,
    trailing_components,
    walk_forward_parameters,
    filtered_regime_probabilities,
    seeded_coin,
    always_invested,
    never_invested,
    demanding_history,
)


def alive_at_the_end(panel: Panel) -> tuple[str, ...]:
    alive = np.isfinite(panel.close[-1])
    return tuple(name for name, is_alive in zip(panel.symbols, alive, strict=True) if is_alive)


def _highest(panel: Panel, values: np.ndarray, count: int = 2) -> tuple[str, ...]:
    order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
    return tuple(panel.symbols[place] for place in order[:count])


def best_performers(panel: Panel) -> tuple[str, ...]:
    return _highest(panel, (1.0 + returns(panel)).prod().to_numpy())


def most_traded_at_the_end(panel: Panel) -> tuple[str, ...]:
    return _highest(panel, np.asarray(pd.DataFrame(panel.volume).ffill())[-250:].mean(axis=0))


LEAKY_CHOICES = (alive_at_the_end, best_performers, most_traded_at_the_end)


def everything(panel: Panel) -> tuple[str, ...]:
    return panel.symbols


def best_performers_before(panel: Panel, *, rows: int) -> tuple[str, ...]:
    return best_performers(panel.until(rows))


def clean_choices(rows: int) -> dict[str, object]:
    """Choices that could be made when so many sessions were known."""
    return {"everything": everything, "best_before": partial(best_performers_before, rows=rows)}
