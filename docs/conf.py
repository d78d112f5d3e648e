"""The documentation site. `make docs` builds it into site/; it needs no network, then or later."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from maker import pages, shown
from maker.facts import find_facts
from sphinx.application import Sphinx
from sphinx.config import Config

project = "salesnb"
author = "the salesnb authors"
copyright = "the salesnb authors, Apache-2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["maker"]
default_role = "code"

nitpicky = True  # but only for names of the package; types of others are not documented here
nitpick_ignore_regex = [(r"py:.*", r"(?!salesnb\.\w+$).*")]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist", "substitution"]
myst_heading_anchors = 3
smartquotes = False  # `--option` stays what it is

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "separated"  # nobody makes a result by hand
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]  # fields, not objects of their own
napoleon_use_rtype = False

WITH_CONTENTS = (
    "generated/api/*",
    "generated/commands",
    "generated/model",
    "changelog",
    "mappings",
)
"""Pages with their contents beside them; the others keep the room for figures."""
highlight_language = "none"
html_theme = "pydata_sphinx_theme"
html_title = "salesnb"
html_static_path = ["_static"]
html_css_files = ["house.css", "generated.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # it would read pages, which browsers refuse from a folder
html_sidebars = {"index": []}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": dict.fromkeys(WITH_CONTENTS, ["page-toc"]),
    "footer_start": ["copyright"],
    "footer_end": [],
    "back_to_top_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def _prepare(app: Sphinx, config: Config) -> None:
    """Write the pages that are made, and compute the numbers that texts name."""
    folder = Path(app.srcdir)
    pages.write_pages(folder)
    (folder / "_static" / "generated.css").write_text(shown.style_sheet(), encoding="utf-8")
    config.myst_substitutions = find_facts()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what this site adds to Sphinx."""
    app.connect("config-inited", _prepare)
    app.add_directive("shown", shown.Shown)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
