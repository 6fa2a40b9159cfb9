"""The four calculators, and the tools that their tests need.

A tool that is absent skips its tests, named in the report; in CI (CI=true in the environment) it fails them.
"""

import importlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, NoReturn

import pytest

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def absent(tool: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is not installed")
    pytest.skip(f"{tool} is not installed")


def tool(module: str) -> ModuleType:
    """Import `module`, or skip (in CI: fail) if the distribution it belongs to is absent."""
    try:
        with warnings.catch_warnings():
            # WebOb, on which Pyramid and WebTest stand, imports the deprecated cgi; Pyramid 2.0 imports pkg_resources.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", UserWarning)
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        absent(str(error.name))


def application(name: str) -> Application:
    """Import one of the calculators."""
    loaded: Application = tool(f"apps.{name}_calc").app
    return loaded


@pytest.fixture(params=["native", "flask", "django", "pyramid"])
def app(request: pytest.FixtureRequest) -> Application:
    """Each of the four calculators in turn."""
    return application(request.param)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium with a fresh profile, driven by selenium. Each server is an origin of its own."""
    webdriver = tool("selenium.webdriver")
    options = tool("selenium.webdriver.chrome.options").Options()
    service = tool("selenium.webdriver.chrome.service").Service
    driver = shutil.which("chromedriver") or absent("chromedriver")
    names = ("chromium", "chromium-browser", "google-chrome")
    options.binary_location = next(filter(None, map(shutil.which, names)), None) or absent("chromium")
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=480,900",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chromium = webdriver.Chrome(options=options, service=service(driver))
    try:
        yield chromium
    finally:
        chromium.quit()
