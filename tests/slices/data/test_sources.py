from __future__ import annotations

import sys
from pathlib import Path

import pytest

from slices.data.adapters import yahoo
from slices.data.sources import open_source
from slices.domain.errors import ParameterError, SourceNotInstalledError
from tests.support.frames import ohlcv


def test_sources_open_by_name(tmp_path: Path) -> None:
    file = tmp_path / "AAA.csv"
    ohlcv().drop("split_factor", "total_factor").write_csv(file)
    assert open_source("embedded", symbols=["JPM"]).feed == "us_close20"
    assert open_source("files", feed=str(file)).feed == str(file)


def test_an_unknown_source_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(
        ParameterError, match="found 'nope'; allowed: embedded, files, yfinance, alpaca"
    ):
        open_source("nope")


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("yfinance", "yfinance.data", "yfinance"), ("alpaca", "alpaca.data.historical", "alpaca")],
)
def test_a_source_whose_package_is_absent_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    monkeypatch.delitem(sys.modules, "slices.data.adapters.alpaca_client", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    yahoo._browser_session.cache_clear()
    with pytest.raises(SourceNotInstalledError) as raised:
        open_source(name, alpaca_key="key", alpaca_secret="x")  # noqa: S106 - not a secret
    assert f"pip install 'tradeflows[{extra}]'" in str(raised.value)
    assert not raised.value.retryable
