"""The directive `shown`: a figure or table of the package inside a page, as reports have it."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from maker import figures
from salesnb.publish.page import load_assets
from salesnb.views import theme

_RULES = """
.snb{max-width:none;margin:1.25rem 0;color:var(--ink);font-variant-numeric:tabular-nums;
 font-size:16px;line-height:1.55}
.snb figure{margin:18px 0}
.snb .narrow{display:none}
@media screen and (max-width:900px){.snb .narrow{display:block}}
"""


class Shown(SphinxDirective):
    """Show a block by its name in `figures.SHOWN`, or a KPI's units by `units KPI LEVEL`."""

    required_arguments = 1
    optional_arguments = 2

    def run(self):
        """Render the block as it is in a report."""
        name, *of = self.arguments
        block = figures.caterpillar_of(*of) if name == "units" else figures.SHOWN[name]()
        return [nodes.raw("", f'<div class="snb">{block.render_html()}</div>', format="html")]


def style_sheet():
    """Write the reports' own style sheet so that it holds inside shown blocks only."""
    light, dark = theme.css_declarations(theme.LIGHT), theme.css_declarations(theme.DARK)
    return (
        f".snb{{{light}}}html[data-theme=dark] .snb{{{dark}}}"
        f"@scope (.snb){{{load_assets().css}}}{_RULES}"
    )
