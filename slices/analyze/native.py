"""TA-Lib's functions as they are, for arrays alone.

The package wraps each function in a search for pandas and polars series among its arguments, which
takes longer than most indicators of five years. Everything here passes arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import talib as talib
else:
    from inspect import unwrap
    from types import SimpleNamespace

    import talib as wrapped

    talib = SimpleNamespace(
        **{name: unwrap(getattr(wrapped, name)) for name in wrapped.get_functions()}
    )
