"""The paper trading flows can order."""

from slices.paper_trade import (
    deciding,
    desk,
    findings,
    looking,
    selected,
    session,
    viewing,
    withdrawing,
)
from slices.runtime.kinds import act, compute

settle = act(desk.settle)
submit = act(desk.submit)
look = act(looking.look)
withdraw = act(withdrawing.withdraw)
selected_choice = act(selected.selected_choice)
rule_of = deciding.rule_of
plan_session = act(session.plan_session)
trade_sessions = act(session.trade_sessions)
traded = session.traded
check_replay = session.check_replay
view_account = act(viewing.view_account)
paper_trading_findings = compute(findings.paper_trading_findings)
