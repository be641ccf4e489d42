"""The live trading flows can order."""

from slices.live_trade import approval, desk, looking, withdrawing
from slices.runtime.kinds import act

settle = act(desk.settle)
submit = act(desk.submit)
look = act(looking.look)
withdraw = act(withdrawing.withdraw)
check_approval = approval.check_approval
approve = approval.approve
