"""The live trading flows can order."""

from slices.live_trade import approval, desk
from slices.runtime.kinds import act

settle = act(desk.settle)
submit = act(desk.submit)
approve = approval.approve
