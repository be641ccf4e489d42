"""Two accounts over the same sessions: by how much one was better, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """By how much one account's Sharpe ratio and return are above another's; NaN where unknown.

    Attributes:
        sessions: Returns of each.
        sharpe_difference: Annualized.
        standard_error: Of that difference, robust to dependence and changing variance.
        t_statistic: The one over the other.
        low: End of the bootstrap's interval of the difference; `high` likewise.
        confidence: Of that interval.
        p_value: Probability of a difference at least as large, in either direction, between
            accounts that are equally good; by the bootstrap.
        return_difference: Of the mean returns, per year.
        return_t: Its t-statistic, by Newey and West.
        block_length: Mean length of the bootstrap's blocks, in sessions.
    """

    sessions: int
    sharpe_difference: float
    standard_error: float
    t_statistic: float
    low: float
    high: float
    confidence: float
    p_value: float
    return_difference: float
    return_t: float
    block_length: float

    @property
    def is_significant(self) -> bool:
        """Whether the bootstrap tells the two apart at its confidence."""
        return self.p_value < 1.0 - self.confidence
