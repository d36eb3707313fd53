"""A real browser without a screen and without a network: what it asks for besides files fails, and is told."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

_PATH: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/bin"


@contextmanager
def browser(folder: Path) -> Iterator[Chrome]:
    """Chromium of the distribution, with its files in the folder; skips where it isn't installed."""
    binary, driver = (shutil.which(name, path=_PATH) for name in ("chromium", "chromedriver"))
    if binary is None or driver is None:
        pytest.skip("chromium and chromium-driver aren't installed")
    options = ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-first-run",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={folder / 'profile'}",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = Chrome(options=options, service=Service(driver, env=dict(os.environ) | {"HOME": str(folder)}))
    try:
        started.set_page_load_timeout(60)
        yield started
    finally:
        started.quit()


def resize(chrome: Chrome, width: int, height: int = 900) -> None:
    """Have the page be so many CSS pixels wide."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def prefer(chrome: Chrome, *, scheme: str = "light", media: str = "") -> None:
    """Have the reader like it light or dark, or on paper."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def requests_of(chrome: Chrome) -> list[str]:
    """The addresses that were asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]  # type: ignore[no-untyped-call]
    return [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]


def complaints_of(chrome: Chrome) -> list[dict[str, Any]]:
    """What the browser's console says since the last call."""
    return list(chrome.get_log("browser"))  # type: ignore[no-untyped-call]


def picture(chrome: Chrome, path: Path) -> None:
    """The whole page as a PNG."""
    import base64  # noqa: PLC0415

    data = chrome.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
    path.write_bytes(base64.b64decode(data["data"]))
