"""The built book: whole links, no network, cells that ran, numbers that were computed, pages that can be read."""

import ast
import functools
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from conftest import ROOT, Site
from playwright.sync_api import Browser, BrowserContext, Page

import mmcrl
from mmcrl.runner.config import read_config

GLUE = re.compile(r"\{glue:text\}`notebooks/(\S+\.ipynb)::(\w+):(.+?)`")
REMOTE = re.compile(r"^(https?:)?//")
MODULES = ("simulate", "metrics", "baselines", "plots")
LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1366, 390)]


@functools.cache
def soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def glued(notebook: Path) -> dict[str, object]:
    """The plain values that an executed notebook glued."""
    found = {}
    for cell in nbformat.read(notebook, 4).cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            text = next((v for k, v in output.get("data", {}).items() if k.endswith("text/plain")), None)
            if name and text:
                try:
                    found[name] = ast.literal_eval(text)
                except (SyntaxError, ValueError):
                    found[name] = text
    return found


# The notebooks


def test_every_run_became_a_page(site: Site) -> None:
    runs = set(read_config(ROOT / "params.yml").runs)
    assert {path.stem for path in site.notebooks} == runs
    assert {path.stem for path in (site.html / "notebooks").glob("*.html")} == runs


def test_every_code_cell_ran_without_error(site: Site) -> None:
    for path in site.notebooks:
        for i, cell in enumerate(nbformat.read(path, 4).cells):
            if cell.cell_type == "code":
                assert cell.execution_count, f"{path.name}: cell {i} never ran"
                assert not [o for o in cell.outputs if o.output_type == "error"], f"{path.name}: cell {i}"


# The numbers


def test_glued_numbers_stand_on_the_results_page(site: Site) -> None:
    source = (site.folder / "book" / "results.md").read_text(encoding="utf-8")
    shown = soup(site.html / "results.html").get_text()
    values = {path.name: glued(path) for path in site.notebooks}
    asked = GLUE.findall(source)
    assert len(asked) > 20
    for notebook, key, form in asked:
        assert key in values[notebook], f"{notebook} glues no {key}"
        assert format(values[notebook][key], form) in shown, f"{notebook}::{key}"


def test_no_number_was_typed_on_the_results_page() -> None:
    text = (ROOT / "book" / "results.md").read_text(encoding="utf-8")
    for pattern in (GLUE.pattern, r"\]\([^)]*\)", r"\{cite\}`\w+`", r":doc: \S+", r"\$R\^2\$", "2017–18", "95 %"):
        text = re.sub(pattern, "", text)
    assert not re.findall(r".*\d.*", text)


# The pages


def test_links_and_anchors_lead_somewhere(site: Site) -> None:
    dead = []
    for page in site.pages:
        for link in soup(page).select("a[href]"):
            parts = urlsplit(str(link["href"]))
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file():
                dead.append(f"{page.name}: {link['href']}")
            elif parts.fragment and target.suffix == ".html":
                anchor = unquote(parts.fragment)
                if not soup(target).find(attrs={"id": anchor}) and not soup(target).find("a", {"name": anchor}):
                    dead.append(f"{page.name}: {link['href']}")
    assert not dead


def test_nothing_is_fetched_from_the_network(site: Site) -> None:
    remote = []
    for page in site.pages:
        for tag in soup(page).select("[src], [srcset], [poster], object[data], link[href]"):
            for attribute in ("src", "srcset", "poster", "data", "href"):
                if REMOTE.match(str(tag.get(attribute, ""))):
                    remote.append(f"{page.name}: {tag}")
    for sheet in site.html.rglob("*.css"):
        remote += re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']+", sheet.read_text(encoding="utf-8"))
    assert not remote


def public_names() -> Iterator[str]:
    for name in mmcrl.__all__:
        thing = getattr(mmcrl, name)
        if name not in MODULES and not name.startswith("__"):
            yield f"mmcrl.{name}"
            if inspect.isclass(thing):
                yield from (f"mmcrl.{name}.{part}" for part in vars(thing) if documented(thing, part))
    for module in MODULES:
        for name in importlib.import_module(f"mmcrl.{module}").__all__:
            thing = getattr(importlib.import_module(f"mmcrl.{module}"), name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"mmcrl.{module}.{name}"


def documented(owner: type, name: str) -> bool:
    thing = inspect.getattr_static(owner, name)
    called = inspect.isfunction(thing) or isinstance(thing, property | classmethod | staticmethod)
    return called and not name.startswith("_")


def test_every_public_name_is_on_the_interface_page(site: Site) -> None:
    page = soup(site.html / "interface.html")
    names = list(public_names())
    assert "mmcrl.MultimodalCRL.fit" in names
    assert not [name for name in names if not page.find(id=name)]


def test_pages_hold_no_machine_path(site: Site) -> None:
    told = re.compile(
        rf"{re.escape(str(ROOT))}|{re.escape(str(site.folder))}|(?<![\w.])/(work|root|home|Users|tmp)/\w+"
    )
    files = [*site.pages, site.html / "searchindex.js", *(site.html / "_sources").rglob("*.*"), *site.notebooks]
    for path in files:
        assert not told.search(path.read_text(encoding="utf-8")), f"{path.name}: {told.pattern}"


def test_pages_hold_no_participant(site: Site) -> None:
    people = {str(person) for person in mmcrl.load_cohort("nhanes-2017").ids}
    assert len(people) > 1000
    written = re.compile(r"(?<![\d.,])\d{5,6}(?!\d|,\d|\.\d*[1-9])")
    one, other, third = sorted(people)[:3]
    assert set(written.findall(f"{one}, {other}.0; {third}.5")) == {one, other}, "the search can find one"
    for page in site.pages:
        assert not people & set(written.findall(soup(page).get_text())), page.name


# The pages in a browser, from file://


class Watched:
    """A browser's context that notes whatever leaves it and whatever its console says."""

    def __init__(self, browser: Browser, scheme: str, width: int) -> None:
        viewport = {"width": width, "height": 900}
        self.context: BrowserContext = browser.new_context(color_scheme=scheme, viewport=viewport)  # type: ignore[arg-type]
        self.complaints: list[str] = []

    def open(self, path: Path) -> Page:
        page = self.context.new_page()
        page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or self._note(path, r.url))
        page.on("console", lambda m: m.type in ("error", "warning") and self._note(path, m.text))
        page.on("pageerror", lambda error: self._note(path, str(error)))
        page.goto(path.as_uri())
        page.wait_for_load_state("networkidle")
        return page

    def _note(self, path: Path, text: str) -> None:
        self.complaints.append(f"{path.name}: {text}")


@pytest.fixture(params=LOOKS, ids=[f"{scheme}-{width}" for scheme, width in LOOKS])
def watched(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Watched]:
    view = Watched(browser, *request.param)
    yield view
    view.context.close()


@pytest.mark.browser
def test_pages_open_offline_and_fit_the_screen(site: Site, watched: Watched) -> None:
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    undrawn = "[...document.querySelectorAll('.math')].filter(m => !m.querySelector('mjx-container')).length"
    for path in site.pages:
        page = watched.open(path)
        if page.query_selector(".math"):
            page.wait_for_function(f"{undrawn} === 0")
            assert not page.query_selector("mjx-merror"), path.name
        assert page.evaluate(wide) <= 0, f"{path.name} is wider than the screen"
        assert page.evaluate(broken) == []
        page.close()
    assert watched.complaints == []


@pytest.mark.browser
def test_theme_can_be_switched(site: Site, browser: Browser) -> None:
    view = Watched(browser, "dark", 1366)
    page = view.open(site.html / "intro.html")
    themes = [page.evaluate("document.documentElement.dataset.theme")]
    for _ in range(3):
        page.click(".theme-switch-button:visible")
        themes.append(page.evaluate("document.documentElement.dataset.theme"))
    view.context.close()
    assert themes[0] == "dark"
    assert "light" in themes
    assert view.complaints == []


@pytest.mark.browser
def test_search_finds_a_page(site: Site, browser: Browser) -> None:
    view = Watched(browser, "light", 1366)
    page = view.open(site.html / "search.html")
    page.goto((site.html / "search.html").as_uri() + "?q=latent")
    page.wait_for_selector("#search-results li a")
    view.context.close()
    assert view.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_articles_can_be_read_by_everyone(site: Site, browser: Browser, scheme: str) -> None:
    view = Watched(browser, scheme, 1366)
    rules = {"color-contrast", "image-alt", "svg-img-alt", "link-name", "heading-order", "document-title", "label"}
    found = []
    for path in site.pages:
        if soup(path).select_one(".bd-article"):
            page = view.open(path)
            result = Axe().run(page, options={"runOnly": {"type": "rule", "values": sorted(rules)}})
            for fault in result.response["violations"]:
                found.append(f"{path.name}: {fault['id']}: {fault['nodes'][0]['html'][:200]}")
            page.close()
    view.context.close()
    assert not found
