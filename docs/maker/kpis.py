"""One page a KPI, and a page that lists them, from the catalogue and the sample company."""

from maker import company
from salesnb.analysis.wording import MISSING, format_precise, format_value
from salesnb.measures.catalogue import CATALOGUE, find_kpis
from salesnb.measures.catalogue.columns import DAY

N_QUARTERS = 4
GROUPS = {
    "What was won": ("salesnb.measures.catalogue.outcomes",),
    "How the process runs": ("salesnb.measures.catalogue.process",),
    "Leads, activities and accounts": ("salesnb.measures.catalogue.leads",),
    "People": ("salesnb.measures.catalogue.people",),
}
"""Heading -> modules of the catalogue."""
UNITS = {
    "money": "money, in the company's currency",
    "share": "a share, 0 to 1, shown as a percentage",
    "days": "days",
    "minutes": "business minutes",
    "count": "a number",
    "ratio": "a ratio",
    "points": "points on the scale of 1 to 5",
}
DIRECTIONS = {
    "up": "higher is better",
    "down": "lower is better",
    "neutral": "neither: high and low both ask for a look",
}
FAMILIES = {
    "rate": (
        "Wins of trials: a beta-binomial model. Each figure is pulled to the group's level, the "
        "more the fewer records it has.",
        "estimate_rates",
    ),
    "count": (
        "Events in a time or of occasions: a gamma-Poisson model. Each figure is pulled to the "
        "group's level, the more the less time it has.",
        "estimate_counts",
    ),
    "log_mean": (
        "A mean on the scale of logarithms, so that people are compared on the typical (geometric "
        "mean) value and one large value does not decide.",
        "estimate_log_means",
    ),
    "total": (
        "A sum of a random number of random amounts, per full quarter of one person: its error "
        "follows from how many there were and how much amounts vary.",
        "estimate_effects",
    ),
    "attainment": (
        "A sum of a random number of random amounts over a fixed one, as a quota: its error "
        "follows from how many there were and how much amounts vary.",
        "estimate_effects",
    ),
}
"""Family -> how people are estimated, and by which function."""
LEFT_OUT = {
    "opportunities": "opportunities created after the day the data are seen on",
    "amounts": "opportunities created after the day the data are seen on",
    "won": "what was not won by the day the data are seen on",
    "leads": "leads rejected as `duplicate` or `invalid`, and those created later",
    "qualified_leads": "leads not qualified by the day the data are seen on, duplicates and "
    "invalid ones",
    "responses": "leads rejected as `duplicate` or `invalid`; untouched ones stay in, as waiting "
    "until now",
    "activities": "whatever is neither an answered call of `connected_call_seconds` or more nor a "
    "meeting that took place",
    "rep_days": "time before hiring, after leaving and on leave",
    "quotas": "people without a quota; leave and ramp shorten a quota",
    "due": "quarters of which no picture of the pipeline exists (at most 35 days before their "
    "start)",
    "pictures": "quarters that are not over, and those without a picture of the pipeline at most "
    "35 days before their start",
    "forecasts": "quarters that are not over, and those without an earlier picture to learn from",
    "open": "what was won or lost by that day, and quarters longer ago than the last five",
    "stalled": "what was won or lost by that day; opportunities younger than the limit have not "
    "stalled",
    "stages": "stages that are in no list of stages, and closed ones",
    "spend": "sources without a spend, and opportunities without a source",
    "expected": "people without a territory of known potential",
    "attained": "people without a quota, and those whose ramp is not over",
    "ramps": "people hired before the data begin, and those without a quota in any three months",
    "skill_gaps": "skills scored by fewer than two raters, what was not observed, and skills "
    "without a target",
    "target_accounts": "accounts that are not marked as targets",
}
"""Fact -> what of it does not count."""


def kpi_pages():
    """Return file name -> text: a page a KPI, and the page that lists them."""
    pages = {f"kpis/{kpi.kpi}.md": kpi_page(kpi) for kpi in CATALOGUE}
    return {"kpis/index.md": _index(), **pages}


def _index():
    lines = [
        "# KPIs",
        "",
        "Every figure the package knows: what it counts, what it leaves out, what it needs, and "
        "what to beware of. The pages are made from the catalogue itself; the values are the "
        f"sample company's of {company.QUARTER}. `salesnb kpis` prints the same for your own "
        "settings. How to choose them, weigh them and add your own: "
        "[Choose KPIs and add your own](../../kpis.md).",
    ]
    for heading, kpis in grouped().items():
        rows = (f"| [{kpi.label}]({kpi.kpi}.md) | {kpi.formula} | {_latest(kpi)} |" for kpi in kpis)
        lines += ["", f"## {heading}", "", "| KPI | Formula | Sample company |", "|---|---|---|"]
        lines += rows
    names = "\n".join(kpi.kpi for kpi in CATALOGUE)
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", "", names, "```", ""])


def grouped():
    """Sort the catalogue by what KPIs are about."""
    from importlib import import_module

    homes = {}
    for heading, modules in GROUPS.items():
        for module in modules:
            found = vars(import_module(module)).values()
            homes |= {item.kpi: heading for item in found if hasattr(item, "numerator")}
    return {heading: [kpi for kpi in CATALOGUE if homes[kpi.kpi] == heading] for heading in GROUPS}


def kpi_page(kpi):
    """Write one KPI's page."""
    shown = "in every report" if kpi.is_headline else "only where a batch's `kpis:` names it"
    facts = {
        "Formula": kpi.formula,
        "Which rows": kpi.cohort,
        "Unit": UNITS[kpi.unit],
        "Better": DIRECTIONS[kpi.direction],
        "Shown": shown,
    }
    lines = [f"# {kpi.label}", "", f"`{kpi.kpi}` in parameters, notebooks and files.", ""]
    lines += [f":{name}: {text}" for name, text in facts.items()]
    lines += [
        f"\n```{{admonition}} Beware\n:class: warning\n\n{_sentence(kpi.caveat)}\n```\n",
        "## What is left out\n",
        *(f"- {line}" for line in left_out(kpi)),
        "\n## What it needs\n",
        "| Column | What it holds |\n|---|---|",
        *(_need(column) for column in kpi.needs),
        "\nA snapshot that lacks one of them has no such figure, and reports say so.",
        *_settings(kpi),
        "\n## How the figure is made\n",
        *_made(kpi),
        "\n## On the sample company\n",
        _values(kpi),
        *_compared(kpi),
    ]
    return "\n".join(lines) + "\n"


def left_out(kpi):
    """List what does not count, in words."""
    facts = dict.fromkeys(part.fact for part in kpi.parts)
    lines = [_sentence(LEFT_OUT[fact]) for fact in facts]
    days = dict.fromkeys(str(part.on) for part in kpi.parts if part.on != DAY)
    lines += [f"Rows without `{day}`, which says in which quarter they count." for day in days]
    lines = list(dict.fromkeys(lines))
    if any(column.table == "opportunities" and column == "amount" for column in kpi.needs):
        lines.append(
            "Amounts that are missing, 0 or negative. Other currencies are converted at the rate "
            "of the day of closing; without a rate nothing is computed."
        )
    if kpi.matures:
        lines.append(
            "Quarters whose cohort is not old enough: the youngest must be `maturity_days` old, so "
            "that all had as long."
        )
    if kpi.needs_denominator:
        lines.append("A person's quarter without a denominator.")
    if kpi.needs_lost_amounts:
        lines.append("The whole figure, where fewer than half of the lost have an amount.")
    lines.append("Rows that the import refused; they stay in quarantine with their reason.")
    return lines


def _need(column):
    link = f"[`{column.table}.{column}`](../model.md#table-{column.table.replace('_', '-')})"
    return f"| {link} | {column.rule.about} |"


def _settings(kpi):
    template = next(one for one in _templates() if one.kpi == kpi.kpi)
    words = f"{template.label} {template.formula} {template.cohort} {template.caveat}"
    names = [
        name
        for name in ("maturity_days", "stalled_days", "sla_minutes", "opens_at", "closes_at",
                     "no_decision_reasons", "connected_call_seconds", "ramp_days")
        if f"{{{name}}}" in words or f"`{name}`" in " ".join([words, *left_out(kpi)])
    ]  # fmt: skip
    if not names:
        return []
    listed = ", ".join(f"`{name}`" for name in names)
    return [f"\nSettings of the company that change it: {listed}."]


def _templates():
    from salesnb.measures import catalogue

    return catalogue.TEMPLATES


def _made(kpi):
    yield _figure(kpi)
    if kpi.family in FAMILIES and kpi.is_comparable:
        how, function = FAMILIES[kpi.family]
        quarters = "the quarter alone" if kpi.window == 1 else f"{kpi.window} quarters"
        yield (
            f"\n**People are compared** over {quarters}. {how} See {{py:func}}`salesnb.{function}`."
        )
        if kpi.gate:
            yield (
                f"\nPeople are told apart by it only where their "
                f"[{_label(kpi.gate)}]({kpi.gate}.md) differs too."
            )
    else:
        yield (
            "\n**Nobody is compared by it**: there is no honest model of its chance, or neither "
            "direction is better. It is shown as it is, without an interval."
        )


def _figure(kpi):
    if kpi.factors:
        names = ", ".join(f"[{_label(name)}]({name}.md)" for name in kpi.factors)
        return f"A product, made anew at each level from its own sum and {names}."
    if kpi.median_of is not None:
        return "A median of counted values; counts are added up, so a team's is exact."
    if kpi.survival_of is not None:
        return (
            "A Kaplan-Meier median: what lasts still counts for as long as it has lasted. Counts "
            "are added up, so a team's is exact."
        )
    if kpi.top_of is not None:
        return "The three largest of all, over the sum."
    ratio = "Numerator over denominator" if kpi.is_ratio else "A sum"
    stock = " Of several quarters the last day's state counts." if kpi.is_stock else ""
    return f"{ratio}. Sums are added up from person to company, never averaged.{stock}"


def _values(kpi):
    measures = company.measures()
    currency = measures.company.currency
    periods, rows = _recent(), company.figures(kpi.kpi)
    lines = ["| Quarter | Value | Exactly | n |", "|---|---|---|---|"]
    for period in periods:
        value = rows["value"].get(period, float("nan"))
        n = rows["n"].get(period, float("nan"))
        is_ready = measures.is_mature(kpi, period)
        note = "" if is_ready else " (not old enough yet)"
        lines.append(
            f"| {period}{note} | {format_value(kpi, value, currency)} | "
            f"{format_precise(kpi, value, currency)} | {_count(n)} |"
        )
    return "\n".join(lines)


def _compared(kpi):
    if not kpi.is_comparable:
        return
    matrix = company.everything("rep")
    row = matrix.differences[matrix.differences["kpi"] == kpi.kpi].iloc[0]
    differ = "differ" if row["is_beyond_chance"] else "do not differ"
    yield (
        f"\nThe {int(row['n_units'])} people {differ} beyond chance in it "
        f"(p {_p_value(row['p_adjusted'])}, all KPIs tested together). Teams, over the same "
        "quarters:"
    )
    yield f"\n```{{shown}} units {kpi.kpi} team\n```"


def _recent():
    periods = [p for p in company.measures().periods if p <= company.QUARTER]
    return tuple(periods[-N_QUARTERS:])


def _latest(kpi):
    measures = company.measures()
    period = measures.latest_mature(kpi, company.QUARTER)
    value = company.figures(kpi.kpi)["value"].get(period, float("nan"))
    value = format_value(kpi, value, measures.company.currency)
    return value if period == company.QUARTER else f"{value} ({period})"


def _label(name):
    return find_kpis((name,))[0].label


def _sentence(text):
    return f"{text[:1].upper()}{text[1:]}."


def _count(n):
    return f"{n:,.0f}" if n == n else MISSING


def _p_value(p):
    return "below 0.001" if p < 0.001 else f"= {p:.3f}"
