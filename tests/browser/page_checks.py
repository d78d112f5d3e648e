"""What every page must pass, asked of the browser."""

WIDTHS = (320, 360, 390, 768)
BROKEN_LAYOUT = """() => [...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.scroll, .sr, .skip') && e.getBoundingClientRect().right >
    document.documentElement.clientWidth + 0.5)
  .map(e => e.tagName + '.' + e.className)"""


def find_violations(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(rule["id"], node["html"][:120]) for rule in found for node in rule["nodes"]]
