"""Markdown, the page and the pictures: well-formed whatever the results say, and dependent on nothing outside."""

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apps.conftest import tool
from tests.compare.samples import comparison, latency, one_round, results, server, wide
from wsgiraw.compare.report.html import html
from wsgiraw.compare.report.markdown import markdown
from wsgiraw.compare.report.png import png
from wsgiraw.compare.report.rows import NO_BEHAVIOUR
from wsgiraw.compare.report.svg import svg
from wsgiraw.compare.results import Finding, Results
from wsgiraw.errors import ConfigError

VOID = {"meta", "br"}
HOSTILE = "</style><script>alert(1)</script>\"'&<b> | `x` $y$ \x00\x1b[31m\ud800 "


class Page(HTMLParser):
    """Reads a page, sees to it that what is opened is closed, and keeps the rest to look at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def named(text: str) -> Results:
    """Results in which everything that can be text is this."""
    slow = [latency({90: 98}, errors={text: 2}), latency({}, errors={text: 3}, stalled=50)]
    found = [Finding(check=text, good=good, answer=text) for good in (True, False, None)]
    servers = [
        server(text, [one_round(50, errors={text: 5}, latencies=slow)], version=text, note=text, behaviour=found),
        server(text + "2", [one_round(50, latencies=slow)] * 3, version=text, state="different", note=text),
        server(text + "3", state="absent", note=text, version=text),
        server(text + "4", [one_round(50)], state=text, note=text),
    ]
    made = comparison(*(dataclasses.replace(one, command=[text], shape=text) for one in servers), application=text)
    return results(
        dataclasses.replace(made, requests=[text, text]),
        machine={"cpu": text, text: text},
        versions={text: text},
        plan={text: text, "servers": [text]},
        command=[text],
        began=text,
    )


def columns(text: str) -> Iterator[list[int]]:
    """Yield how many cells the rows of each table have."""
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        yield [len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in table.splitlines()]


def checked(found: Results) -> Page:
    """Make all that is text, and return the page."""
    ET.fromstring(svg(found))
    tables = list(columns(markdown(found)))
    assert all(len(set(table)) == 1 and len(table) > 2 for table in tables)
    page = html(found)
    page.encode()
    return Page(page)


def test_everything_is_well_formed() -> None:
    page = checked(wide())
    assert page.tags >= {"svg", "table", "dl", "figure"}
    assert len(list(columns(markdown(wide())))) == 9
    for words in ("no clear difference", "bjoern 3.2.2", "no answer", "✗", "generator-bound", "pip install nginx-unit"):
        assert words in page.text


def test_whatever_is_in_it_is_text() -> None:
    page = checked(named(HOSTILE))
    assert not page.tags & {"script", "b"}
    assert "</style><script>alert(1)</script>\"'&<b> | `x` $y$ [31m" in page.text
    picture = ET.fromstring(svg(named(HOSTILE)))
    assert not [element for element in picture.iter() if element.tag.rpartition("}")[2] in {"script", "b"}]
    assert r"\<script\>" in markdown(named(HOSTILE))


@given(st.text(min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_whatever_text_it_is_nothing_breaks(text: str) -> None:
    checked(named(text))


def test_percentiles_are_there_in_numbers() -> None:
    seen = [latency({1000: 50, 2000: 40, 3000: 9}, errors={"timeout": 1}), latency({7000: 10}, stalled=50)]
    text = markdown(results(comparison(server("a", [one_round(5, latencies=seen)]))))
    assert "| a | 500 | 1.00 | 2.00 | 3.00 | no answer | 1 |" in text
    assert "| a | 500, 50 stalled | 7.00 | 7.00 | 7.00 | 7.00 | 0 |" in text


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = html(wide())
    assert not Page(page).attributes & {"src", "href", "action", "onload", "srcset"}
    assert not re.search(r"://|@import|url\(|javascript", page)


def test_light_dark_paper_and_phones_are_thought_of() -> None:
    page = html(wide())
    for words in ("prefers-color-scheme: dark", "@media print", 'name="viewport"', "max-width: 640px"):
        assert words in page
    assert "prefers-color-scheme: dark" in svg(wide())


def test_speed_without_behaviour_is_said_to_be() -> None:
    bare = results(comparison(server("wsgiraw", [one_round(5)])))
    assert NO_BEHAVIOUR in Page(html(bare)).text
    assert NO_BEHAVIOUR in markdown(bare)


def test_who_is_not_ranked_has_no_bar() -> None:
    fast = server("fast", [one_round(9000)], state="different")
    for draw in (svg, html):
        assert draw(results(comparison(fast))).count("<rect") == 0
        assert draw(results(comparison(fast, server("a", [one_round(50)])))).count("<rect") == 2


@pytest.mark.parametrize("found", [results(), results(comparison(server("a", state="absent")))])
def test_of_nothing_there_is_a_page_too(found: Results) -> None:
    checked(found)


def test_a_picture_by_matplotlib() -> None:
    tool("matplotlib")
    for found in (named("$x_1$ | _ 名"), results()):
        assert png(found).startswith(b"\x89PNG\r\n")


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"pip install 'wsgiraw\[plot\]'"):
        png(results())
