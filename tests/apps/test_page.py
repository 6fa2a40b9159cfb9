"""The page in a headless Chromium: clicked, typed at, behind a mount prefix, in light and in dark."""

from typing import Any
from wsgiref.validate import validator

import pytest

import wsgiraw

from .conftest import Application, tool

WAIT = 10  # seconds, an upper bound: each wait ends as soon as the page says what is awaited
TIMES = "\N{MULTIPLICATION SIGN}"


def read(browser: Any, name: str) -> str:
    """Return the text of the element with the id `name`."""
    text: str = browser.find_element("id", name).text
    return text


def wait_for(browser: Any, name: str, text: str) -> None:
    """Wait until the element with the id `name` reads `text`."""
    wait = tool("selenium.webdriver.support.wait").WebDriverWait(browser, WAIT, poll_frequency=0.02)
    wait.until(lambda _: read(browser, name) == text, f"#{name} reads {read(browser, name)!r}, not {text!r}")


def press(browser: Any, *keys: str) -> None:
    """Type keys, one after another, at whatever has the focus."""
    actions = tool("selenium.webdriver").ActionChains(browser)
    actions.send_keys(*keys).perform()


def click(browser: Any, *keys: str) -> None:
    for key in keys:
        browser.find_element("css selector", f"[data-key='{key}']").click()


def complaints(browser: Any, status: int | None = None) -> list[str]:
    """Return what Chromium's console says of the page's origin, but for the `status` that a test provokes."""
    origin = browser.execute_script("return location.origin")
    said = [entry["message"] for entry in browser.get_log("browser") if origin in entry["message"]]
    return [message for message in said if status is None or f"status of {status}" not in message]


@pytest.mark.parametrize("address", ["/", "/flask", "/flask/"])
def test_calculate(browser: Any, app: Application, address: str) -> None:
    """Click one, type one, divide by zero and go on, at the root and behind a prefix, with and without its slash."""
    checked = validator(app)
    served = checked if address == "/" else wsgiraw.Mount({"/flask": checked})
    keys = tool("selenium.webdriver.common.keys").Keys
    with wsgiraw.Server(served, port=0) as server:
        browser.get(f"http://127.0.0.1:{server.port}{address}")
        click(browser, "1", "2", "*", "7", "=")
        wait_for(browser, "entry", "84")
        assert read(browser, "tape") == f"12 {TIMES} 7 ="
        press(browser, "0.1+0.2", keys.ENTER)
        wait_for(browser, "entry", "0.3")
        press(browser, "7/0", keys.ENTER)
        wait_for(browser, "fault", "Division by zero is undefined.")
        assert not complaints(browser, 400)
        press(browser, keys.ESCAPE)
        wait_for(browser, "entry", "0")
        assert read(browser, "fault") == read(browser, "tape") == ""
        links = browser.find_elements("css selector", "#routes ~ ul a")
        below = "/flask" if address != "/" else ""
        assert links[0].get_property("href") == f"http://127.0.0.1:{server.port}{below}/add/2/3"
        links[0].click()
        assert browser.find_element("css selector", "body").text == "5"
        browser.get("about:blank")  # closes its connections, so that the server has nothing to wait for


# Keys typed without a pause, and what the display and the line above it then say
TYPED = [
    ("2+3*4=", "20", f"5 {TIMES} 4 ="),
    ("2+-3=", "-1", "2 - 3 ="),
    ("1/3=", "0.3333333333333333333333333333", "1 ÷ 3 ="),
    ("99999999999999999999+1=", "100000000000000000000", "99999999999999999999 + 1 ="),
    ("7n-2=", "-9", "-7 - 2 ="),
    ("1,5x2=", "3", f"1.5 {TIMES} 2 ="),
    ("5.+1=", "6", "5 + 1 ="),
    ("..5+1..5=", "2", "0.5 + 1.5 ="),
    ("007-2=", "5", "7 - 2 ="),
    ("12\b\b\b5+1=", "6", "5 + 1 ="),
    ("8/2=+1=", "5", "4 + 1 ="),
    ("8/2=31", "31", ""),
    ("8+=", "16", "8 + 8 ="),
    ("1+2\x1b4", "4", ""),
    ("=n=", "0", ""),
]


def test_keyboard(browser: Any, app: Application) -> None:
    """The keyboard alone does everything; numbers keep every digit on their way to the server and back."""
    keys = tool("selenium.webdriver.common.keys").Keys
    special = {"\b": keys.BACKSPACE, "\x1b": keys.ESCAPE, "=": keys.ENTER}
    with wsgiraw.Server(validator(app), port=0) as server:
        browser.get(f"http://127.0.0.1:{server.port}/")
        for typed, entry, tape in TYPED:
            press(browser, keys.ESCAPE, *(special.get(key, key) for key in typed))
            wait_for(browser, "entry", entry.replace("-", "\N{MINUS SIGN}"))
            wait_for(browser, "tape", tape.replace("-", "\N{MINUS SIGN}"))
            assert read(browser, "fault") == ""
        press(browser, keys.ESCAPE, keys.TAB, keys.TAB, keys.TAB, keys.TAB, keys.TAB, keys.ENTER)
        wait_for(browser, "entry", "7")  # the fifth key, reached by Tab, is pressed by Enter
        assert not complaints(browser)
        browser.get("about:blank")


def test_server_gone(browser: Any, app: Application) -> None:
    """The page says so when nobody answers."""
    with wsgiraw.Server(validator(app), port=0) as server:
        browser.get(f"http://127.0.0.1:{server.port}/")
    press(browser, "1+1=")
    wait_for(browser, "fault", "The server does not answer.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colour_scheme(browser: Any, app: Application, scheme: str) -> None:
    """Text has a contrast of 4.5 : 1 (WCAG 2.2 §1.4.3) in light and dark, and each key an accessible name."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    with wsgiraw.Server(validator(app), port=0) as server:
        browser.get(f"http://127.0.0.1:{server.port}/")
        colour = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        for text, ground in (
            ("#tape", "main"),
            ("#entry", "main"),
            ("#fault", "main"),
            (".keys button:not(.sign)", ".keys button:not(.sign)"),
            (".sign", ".sign"),
            (".equals", ".equals"),
            ("section", "body"),
            ("a", "body"),
        ):
            front = browser.execute_script(colour, text, "color")
            back = browser.execute_script(colour, ground, "backgroundColor")
            assert contrast(front, back) >= 4.5, (text, front, back)
        for key in browser.find_elements("css selector", ".keys button"):
            assert key.accessible_name.isascii()
        browser.get("about:blank")


def contrast(front: str, back: str) -> float:
    """Return the contrast ratio of two `rgb(…)` colours."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(front), luminance(back)))
    return (lighter + 0.05) / (darker + 0.05)
