"""Where results of tasks and flows are kept, and in which form: checked text, never pickle."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final, Literal

from prefect.filesystems import LocalFileSystem
from prefect.logging import get_logger
from prefect.serializers import Serializer
from prefect.utilities.annotations import quote

from slices.domain.alerts import Level, ResultRefused
from slices.domain.errors import IntegrityError
from slices.runtime.codec import decode, encode
from slices.runtime.events import emit

SERIALIZER: Final = "tradeflows-checked-text"


def report_refusal(refused: IntegrityError) -> None:
    """Log and announce, as CRITICAL, that a stored result is not what was written."""
    get_logger("tradeflows.cache").critical("Refused a stored result: %s", refused)
    emit(
        ResultRefused(
            subject="results", level=Level.CRITICAL, message=str(refused), path=refused.path
        )
    )


def unmarked(value: Any) -> Any:
    """Take away the mark that keeps Prefect from looking through a value."""
    return value.unwrap() if isinstance(value, quote) else value


class CheckedText(Serializer):  # Prefect refuses a parametrised base
    """Writes results as text with a digest and refuses what does not match it."""

    type: Literal["tradeflows-checked-text"] = SERIALIZER

    def dumps(self, obj: Any) -> bytes:
        """Encode a result."""
        return encode(unmarked(obj))

    def loads(self, blob: bytes) -> Any:
        """Decode a result; one that was changed is reported as CRITICAL and refused."""
        try:
            return decode(blob)
        except IntegrityError as refused:
            report_refusal(refused)
            raise


class ResultFolder(LocalFileSystem):
    """A folder of result files, each written whole and each proved to be ours before it is opened.

    Prefect reads a result with the serializer that the file itself names, and takes a result that
    is not text as it stands. A file could so name pickle, or carry no digest. (The types of the
    methods are those of both of Prefect's kinds of storage, which disagree.)
    """

    _block_type_name = "tradeflows result folder"
    _block_type_slug = "tradeflows-result-folder"

    async def aread_path(self, path: str) -> bytes:
        """Do as `read_path`."""
        return self.read_path(path)

    async def awrite_path(self, path: str, content: bytes) -> str:
        """Do as `write_path`."""
        return self.write_path(path, content)

    def read_path(self, path: str, **_dispatch: bool) -> bytes:  # type: ignore[override]
        """Read a result file.

        Raises:
            FileNotFoundError: Where there is none.
            IntegrityError: Where it is not a result in checked text; reported as CRITICAL.
        """
        file = self._resolve_path(path)
        try:
            return checked_record(file)
        except IntegrityError as refused:
            report_refusal(refused)
            raise

    def write_path(  # type: ignore[override]
        self, path: str, content: bytes, **_dispatch: bool
    ) -> str:
        """Write a result file, complete or not at all."""
        file = self._resolve_path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".unfinished")
        try:
            with os.fdopen(handle, "wb") as unfinished:
                unfinished.write(content)
            Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)
        return str(file)


def checked_record(file: Path) -> bytes:
    """Read a record of Prefect's and prove that it holds checked text and nothing else.

    Returns:
        The record written anew from what was checked.

    Raises:
        FileNotFoundError: Where there is no such file.
        IntegrityError: Where it is torn, or names another serializer, or holds no text.
    """
    try:
        record = json.loads(file.read_bytes())
    except ValueError as torn:
        problem = "a result file that is torn or of another kind"
        raise IntegrityError(path=str(file), problem=problem) from torn
    match record:
        case {"metadata": {"serializer": {"type": str(kind), **rest}}, "result": str()}:
            if kind == SERIALIZER and not rest:
                return json.dumps(record).encode("ascii")
    problem = "a result file that does not hold checked text"
    raise IntegrityError(path=str(file), problem=problem)
