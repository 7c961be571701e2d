"""Compares the page as a browser built it with the evaluation files; see check.sh."""
import html
import json
import re
import sys
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser


class Page(HTMLParser):
    """Text of every table row, and what the scripts drew."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.rows, self.row, self.curves, self.canvases, self.measured = [], None, 0, 0, None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "tr":
            self.row = []
        self.curves += tag == "div" and attributes.get("class") == "curve"
        self.canvases += tag == "canvas"
        self.measured = attributes.get("data-measured", self.measured)

    def handle_endtag(self, tag):
        if tag == "tr" and self.row is not None:
            self.rows.append(" ".join(" ".join(self.row).split()))
            self.row = None

    def handle_data(self, data):
        if self.row is not None:
            self.row.append(data)


def read(path):
    page = Page()
    with open(path, encoding="utf-8") as file:
        page.feed(file.read())
    return page


def percent(value):
    """One decimal, halves upwards as Java rounds them."""
    return str(Decimal(repr(100.0 * value)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def expected(path):
    """(row label or None, text that must stand in that row)"""
    with open(path, encoding="utf-8") as file:
        evaluation = json.load(file)
    for result in evaluation["results"]:
        for name, score in result.get("patterns", {}).items():
            if isinstance(score, dict) and "pairsCorrect" in score:
                yield name, f"{percent(score['pairsCorrect'] / score['pairs'])} {score['pairsCorrect']} of {score['pairs']}"
        if "pairsCorrect" in result:
            yield "All pairs", f"{percent(result['pairsCorrect'] / result['pairs'])} {result['pairsCorrect']} of {result['pairs']}"
        for name, value in result.get("metrics", {}).items():
            low_high = result.get("intervals", {}).get(name)
            interval = f" {percent(low_high[0])}\u2013{percent(low_high[1])}" if low_high else ""
            yield None, percent(value) + interval


def main(dom, phone, desk, log, *evaluations):
    page, wrong, checked = read(dom), [], 0
    for path in evaluations:
        for label, text in expected(path):
            checked += 1
            if not any((label is None or row.startswith(label)) and text in row for row in page.rows):
                wrong.append(f"{path}: not on the page: {label or 'a metric'}: {text}")
    if page.canvases != page.curves:
        wrong.append(f"{page.canvases} of {page.curves} curves drawn")
    for frame, width in ((phone, 360), (desk, 1280)):
        measured = json.loads(html.unescape(read(frame).measured or "null"))
        if not measured or measured["width"] != width or measured["scroll"] > width or measured["wide"]:
            wrong.append(f"scrolls sideways at {width} pixels: {measured}")
    with open(log, encoding="utf-8", errors="replace") as file:
        wrong += [line.strip() for line in file if re.search(r"CONSOLE", line)]
    print("\n".join(wrong) or f"{checked} figures equal, {page.curves} curves drawn, no console message, 360 and 1280 pixels suffice")
    return bool(wrong)


sys.exit(main(*sys.argv[1:]))
