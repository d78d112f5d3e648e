"""The page of KPIs, docs/kpis.md: its table is the catalogue. Run it to write the page anew."""

from pathlib import Path

from salesnb.measures.catalogue import CATALOGUE

PAGE = Path(__file__).parents[1] / "docs" / "kpis.md"
BEGIN, END = "<!-- catalogue -->\n", "<!-- end of the catalogue -->\n"


def render():
    """Write one section a KPI."""
    lines = []
    for kpi in CATALOGUE:
        needs = ", ".join(f"`{column.table}.{column}`" for column in kpi.needs)
        shown = "Shown unless a batch chooses others. " if kpi.is_headline else ""
        compared = (
            f"compared as {kpi.family}" if kpi.is_comparable
            else "shown as it is, nobody is compared by it"
        )  # fmt: skip
        lines += [
            f"### {kpi.label} (`{kpi.kpi}`)\n",
            f"**{kpi.formula}**; {kpi.cohort}. In {kpi.unit}, better: {kpi.direction}; {compared}. "
            f"{shown}\n",
            f"Beware: {kpi.caveat}.\n",
            f"Needs {needs}.\n",
        ]
    return "\n".join(line.replace(" \n", "\n") for line in lines) + "\n"


def whole(text):
    """Put the catalogue into a page."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{render()}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(whole(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
