"""Media from `Static` in a headless Chromium: it seeks by asking for ranges."""

import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.apps.conftest import tool
from tests.apps.test_page import WAIT, complaints
from wsgiraw import Server, Static

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

SECONDS = 600
RATE = 4 * 48000
"""Octets a second."""
PAGE = b"""<!doctype html><meta charset="utf-8"><title>player</title><link rel="icon" href="data:,">
<video id="player" src="silence.wav" preload="metadata" muted></video>
<script>player.onseeked = () => document.title = "seeked"</script>
"""


def test_seeking(browser: Any, tmp_path: Path) -> None:
    """To a place that has not been loaded, by 206; without loading what lies before it."""
    (tmp_path / "index.html").write_bytes(PAGE)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 48000, RATE, 4, 16)  # PCM, stereo, 16 bits
    size = RATE * SECONDS  # 115 MB, more than the browser loads ahead; holes take no room
    (tmp_path / "silence.wav").write_bytes(
        struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
    )
    os.truncate(tmp_path / "silence.wav", 44 + size)
    static = Static(tmp_path)
    answered: list[tuple[str, str]] = []

    def watched(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def started(status: str, fields: list[tuple[str, str]], *more: Any) -> Any:
            answered.append((status[:3], dict(fields).get("Content-Range", "")))
            return start_response(status, fields, *more)

        return static(environ, started)

    wait = tool("selenium.webdriver.support.wait").WebDriverWait(browser, WAIT, poll_frequency=0.02)
    with Server(watched, port=0) as server:
        browser.get(f"{server.url}/")
        wait.until(lambda _: browser.execute_script("return player.readyState >= 1"))
        assert browser.execute_script("return player.duration") == SECONDS
        browser.execute_script("player.currentTime = 500")
        wait.until(lambda _: browser.title == "seeked")
        assert browser.execute_script("return player.currentTime") == 500
        assert browser.execute_script("return player.error") is None
        assert not complaints(browser)
        browser.get("about:blank")
    begins = [int(part.removeprefix("bytes ").partition("-")[0]) for status, part in answered if status == "206"]
    assert max(begins) > RATE * 400
