"""The Prefect serializer of every task and flow: checked text, never pickle."""

from __future__ import annotations

from typing import Any, Literal

from prefect.logging import get_logger
from prefect.serializers import Serializer

from slices.domain.alerts import Level, ResultRefused
from slices.domain.errors import IntegrityError
from slices.runtime.codec import decode, encode
from slices.runtime.events import emit


class CheckedText(Serializer):  # Prefect refuses a parametrised base
    """Writes results as text with a digest and refuses what does not match it."""

    type: Literal["tradeflows-checked-text"] = "tradeflows-checked-text"

    def dumps(self, obj: Any) -> bytes:
        """Encode a result."""
        return encode(obj)

    def loads(self, blob: bytes) -> Any:
        """Decode a result; one that was changed is reported as CRITICAL and refused."""
        try:
            return decode(blob)
        except IntegrityError as refused:
            get_logger("tradeflows.cache").critical("Refused a stored result: %s", refused)
            emit(
                ResultRefused(
                    subject="results", level=Level.CRITICAL, message=str(refused), path=refused.path
                )
            )
            raise
