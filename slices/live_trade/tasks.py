"""The live trading flows can order."""

from slices.live_trade import approval, desk, looking, telling, withdrawing
from slices.runtime.kinds import act

settle = act(telling.telling(desk.settle))
submit = act(telling.telling(desk.submit))
look = act(telling.telling(looking.look))
withdraw = act(telling.telling(withdrawing.withdraw))
check_approval = approval.check_approval
approve = approval.approve
