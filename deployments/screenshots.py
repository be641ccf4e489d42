"""`python -m deployments.screenshots [FOLDER]`: pictures of the pages, of what runs here now.

They need `up`, Playwright and a Chromium. Every page is opened with the operator's password, which
is typed nowhere: Prefect's pages find it where they keep it themselves, the others are told it in
the way browsers do.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.addresses import addresses, answers, basic
from deployments.programs import ROOT
from flows.cli.exits import exit_code
from flows.cli.output import print_line, report_error
from slices.domain.errors import SettingsError, TradingError
from slices.runtime.credentials import OPERATOR, operator_password
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser
    from pydantic import SecretStr

    from slices.runtime.settings import Settings

FOLDER = ROOT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = (1440, 900), (390, 844)
SHOWN = "portfolio-analysis/daily"
"""Its page has a description, a schedule and a form with help texts."""

CLOSE = "[data-component-id='mlflow.assistant.chat_panel.close']"
"""Of a panel of MLflow's that covers part of the page."""

SETTLE_MILLISECONDS = 4000
FADE_MILLISECONDS = 1000
TIMEOUT_MILLISECONDS = 60_000


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One page to be taken.

    Attributes:
        url: Of the page.
        size: Width and height in pixels.
        scheme: `light` or `dark`.
    """

    name: str
    url: str
    size: tuple[int, int] = WIDE
    scheme: str = "light"


def pictures(settings: Settings, password: SecretStr) -> tuple[Picture, ...]:
    """List the pages."""
    prefect, mlflow, dashboard = (each.url for each in addresses(settings))
    shown = f"{prefect}/v2/deployments/deployment/{_deployment_id(prefect, SHOWN, password)}"
    learning = "?workflowType=machine_learning"
    return (
        Picture(name="dashboard", url=f"{dashboard}/"),
        Picture(name="dashboard-dark", url=f"{dashboard}/", scheme="dark"),
        Picture(name="dashboard-phone", url=f"{dashboard}/", size=PHONE),
        Picture(name="dashboard-alerts", url=f"{dashboard}/alerts"),
        Picture(name="dashboard-runs", url=f"{dashboard}/runs"),
        Picture(name="dashboard-explorer", url=f"{dashboard}/explorer"),
        Picture(name="prefect-deployments", url=f"{prefect}/v2/deployments"),
        Picture(name="prefect-deployment", url=shown),
        Picture(name="prefect-form", url=f"{shown}/run"),
        Picture(name="prefect-runs", url=f"{prefect}/v2/runs"),
        Picture(name="prefect-automations", url=f"{prefect}/v2/automations"),
        Picture(name="mlflow-experiments", url=f"{mlflow}/#/experiments{learning}"),
        Picture(name="mlflow-models", url=f"{mlflow}/#/models{learning}"),
    )


def _deployment_id(prefect: str, name: str, password: SecretStr) -> str:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{prefect}/api/deployments/name/{name}", headers={"Authorization": basic(password)}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        return str(json.load(answer)["id"])


def take_all(folder: Path) -> tuple[Path, ...]:
    """Take every picture; return the files.

    Raises:
        SettingsError: The servers do not run, or there is no browser.
    """
    settings, password = load_settings(), operator_password()
    for address in addresses(settings):
        if not answers(address, password):
            raise SettingsError(
                setting=address.name, found="no answer", needed="`python -m deployments.up` first"
            )
    folder.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright  # of the development packages

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_browser(), args=["--no-sandbox"])
        files = tuple(
            _taken(browser, each, folder, password=password)
            for each in pictures(settings, password)
        )
        browser.close()
    return files


def _browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise SettingsError(setting="PATH", found="no browser", needed=" or ".join(BROWSERS))
    return found


def _taken(browser: Browser, picture: Picture, folder: Path, *, password: SecretStr) -> Path:
    secret = password.get_secret_value()
    context = browser.new_context(
        viewport={"width": picture.size[0], "height": picture.size[1]},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        http_credentials={"username": OPERATOR, "password": secret},
    )
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    kept = base64.b64encode(f"{OPERATOR}:{secret}".encode()).decode()
    context.add_init_script(f"localStorage.setItem('prefect-password', '{kept}')")
    page = context.new_page()
    page.goto(picture.url, wait_until="load")
    page.wait_for_timeout(SETTLE_MILLISECONDS)  # pages go on drawing after they have loaded
    page.keyboard.press("Escape")  # an introduction may lie over the page
    close = page.locator(CLOSE).first
    if close.is_visible():
        close.click()
    page.wait_for_timeout(FADE_MILLISECONDS)
    file = folder / f"{picture.name}.png"
    page.screenshot(path=file)
    context.close()
    return file


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.screenshots", description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", default=FOLDER)
    try:
        files = take_all(parser.parse_args(argv).folder)
    except TradingError as error:
        return report_error(error, exit_code(error), as_json=False).value
    for file in files:
        print_line(str(file))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
