"""The report in headless Chromium: drawn, silent, accessible, in light and dark and on a phone."""

from __future__ import annotations

import html
import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli.report.report import ReportRequest, write_report
from tests.browser.chromium import open_page
from tests.cli.report.answers import MadeUp, history, nothing

pytestmark = pytest.mark.browser

AXE = importlib.resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
WINDOWS = {"desktop": "--window-size=1280,900", "phone": "--window-size=390,844"}
INSPECTION = """
const errors = [];
addEventListener("error", (event) => errors.push(String(event.message)));
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => errors.push(`blocked ${event.blockedURI}`));
const settled = async () => {
  while (!document.documentElement.hasAttribute("data-drawn")) await new Promise((next) => setTimeout(next, 50));
};
addEventListener("load", async () => {
  await settled();
  const all = (selector) => [...document.querySelectorAll(selector)];
  const texts = (selector) => all(selector).map((element) => element.textContent.trim());
  const shown = () => all(".year").filter((year) => !year.hidden).map((year) => year.dataset.year);
  const first = shown();
  const chooser = document.getElementById("year");
  if (chooser) {
    chooser.selectedIndex = chooser.options.length - 1;
    chooser.dispatchEvent(new Event("change"));
  }
  const findings = await axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]});
  const results = {
    errors,
    title: document.title,
    charts: all("[data-chart]").length,
    drawn: all("[data-chart] svg").map((svg) => svg.querySelectorAll("path").length > 1),
    accent: [...new Set(all(".mark-rect.role-mark path").map((bar) => bar.getAttribute("fill")))],
    requests: performance.getEntriesByType("resource").map((entry) => entry.name),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    numbers: texts(".tiles dd").slice(0, 1),
    weekdays: texts("[data-chart='2'] text").slice(0, 40),
    first, later: shown(),
    violations: findings.violations.map((one) => [one.id, ...one.nodes.map((node) => node.target.join(" "))]),
  };
  const found = document.createElement("pre");
  found.id = "results";
  found.textContent = JSON.stringify(results);
  document.body.append(found);
});
"""


def inspect(chromium: str, folder: Path, source: MadeUp, *options: str) -> dict[str, Any]:
    """Open a report with a script that looks at it; return what it found."""
    path = folder / "report.html"
    write_report(source, ReportRequest(path=path), name="a test")
    page = path.read_text(encoding="utf-8")
    watching = f"<script>{AXE}</script><script>{INSPECTION}</script>"
    path.write_text(page.replace("<head>", f"<head>{watching}", 1), encoding="utf-8")
    opened = open_page(chromium, path.as_uri(), folder / "profile", "--enable-logging=stderr", *options)
    found = re.search(r'<pre id="results">(.*?)</pre>', opened.stdout, re.DOTALL)
    assert found, f"Chromium showed no report: {opened.stdout[-500:]} {opened.stderr[-2000:]}"
    assert [line for line in opened.stderr.splitlines() if ":CONSOLE" in line] == []
    results: dict[str, Any] = json.loads(html.unescape(found[1]))
    return results


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_report_is_drawn_without_errors_requests_or_barriers(
    chromium: str, tmp_path: Path, window: str, *, dark: bool
) -> None:
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    found = inspect(chromium, tmp_path, history(), window, *scheme)
    assert found["errors"] == []
    assert found["requests"] == []
    assert found["violations"] == []
    assert found["title"] == "Your listening – Ana <i>"
    assert found["charts"] == len(found["drawn"]) > 5
    assert all(found["drawn"])
    assert ("#55c3a3" if dark else "#17765c") in found["accent"]
    # Nothing is wider than the window.
    assert found["overflow"] <= 0


def test_year_can_be_chosen(chromium: str, tmp_path: Path) -> None:
    found = inspect(chromium, tmp_path, history(), WINDOWS["desktop"])
    assert (found["first"], found["later"]) == (["2026"], ["2025"])


@pytest.mark.parametrize(("language", "number", "monday"), [("en-US", "12,345", "Mon"), ("de-DE", "12.345", "Mo")])
def test_numbers_and_dates_are_in_the_readers_locale(
    chromium: str, tmp_path: Path, language: str, number: str, monday: str
) -> None:
    found = inspect(
        chromium, tmp_path, history(), WINDOWS["desktop"], f"--lang={language}", f"--accept-lang={language}"
    )
    assert found["numbers"] == [number]
    assert monday in found["weekdays"]


def test_report_without_data_is_whole(chromium: str, tmp_path: Path) -> None:
    found = inspect(chromium, tmp_path, nothing(), WINDOWS["phone"])
    assert (found["errors"], found["requests"], found["violations"], found["charts"]) == ([], [], [], 0)
