from __future__ import annotations

import pytest

from slices.analyze.series import SymbolBars, read_symbol_bars
from slices.data.adapters.embedded import open_embedded
from slices.domain.dataset import DatasetRef
from tests.slices.quant.market import us_dataset
from tests.support.frames import load


@pytest.fixture(scope="session")
def us_ohlcv(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    """AAPL, IBM and META with full bars; META begins in 2012."""
    folder = tmp_path_factory.mktemp("ohlcv")
    return load(open_embedded("us_ohlcv5", []), folder, "AAPL", "IBM", "META")


@pytest.fixture(scope="session")
def us_closes_ref(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    """Five names with nothing but closes."""
    return us_dataset(tmp_path_factory.mktemp("closes"), symbols=5, sessions=900)


@pytest.fixture(scope="session")
def ibm(us_ohlcv: DatasetRef) -> SymbolBars:
    return read_symbol_bars(us_ohlcv, ("IBM",))[0]


@pytest.fixture(scope="session")
def ibm_closes(us_closes_ref: DatasetRef) -> SymbolBars:
    """A symbol with nothing but closes."""
    return read_symbol_bars(us_closes_ref, us_closes_ref.symbols[:1])[0]
