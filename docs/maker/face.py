"""The reference of the public names, one page a step of the flow, from their docstrings."""

import inspect
import re
import typing

import salesnb
from salesnb import views
from salesnb.analysis.result import Result

TOPICS = {
    "data": (
        "Get data in",
        "From an export to a snapshot that nothing changes any more.",
        ("import_snapshot", "open_snapshot", "load_snapshot", "sample_company"),
    ),
    "measures": (
        "Measure",
        "From a snapshot to sums per person, team, quarter and KPI, which everything else reads.",
        ("load_measures", "compute_measures", "select_kpis"),
    ),
    "standing": (
        "Who stands where",
        "People and teams beside each other, and what of it is chance.",
        ("performance_matrix", "peer_groups", "composite_score", "adjusted_performance",
         "contributions", "strengths", "skill_matrix", "gaming_checks"),
    ),
    "change": (
        "What changed, and beside what",
        "Quarters beside those before, what moved bookings, and figures from outside.",
        ("quarter_trend", "booking_drivers", "benchmark", "compare_conventions", "find_insights"),
    ),
    "targets": (
        "Targets and actions",
        "Whether targets add up and are in reach, and what became of what was agreed.",
        ("target_tree", "target_outlook", "agreed_actions"),
    ),
    "pipeline": (
        "Open opportunities",
        "Chances, what deserves attention, and the quarter's forecast.",
        ("load_pipeline", "score_pipeline", "load_pipeline_scores", "pipeline_priorities",
         "pipeline_forecast", "winning_patterns", "capacity"),
    ),
    "process": (
        "The sales process",
        "When opportunities are won, where they stay, and how well the process is kept to.",
        ("win_timing", "stage_flow", "bottlenecks", "team_bottlenecks", "process_compliance",
         "compare_process"),
    ),
    "marketing": (
        "Marketing and sales",
        "Leads from source to win, answers, handover and credit.",
        ("lead_funnel", "response_effect", "handover", "attribution", "alignment_table"),
    ),
    "skills": (
        "Skills and segments",
        "Scores with the raters taken out, and people with the same gaps, if there are any.",
        ("skill_framework", "skill_profiles", "team_skills", "skill_trend", "skill_segments",
         "segments_before", "SkillSegmenter"),
    ),
    "training": (
        "Training and feedback",
        "What to train, whom, and whether it worked.",
        ("skill_importance", "course_effects", "PlanLimits", "training_plan", "write_plan",
         "programmes", "training_impact", "judge_programmes", "feedback_loop", "feedback_themes",
         "feedback_effect"),
    ),
    "estimates": (
        "Estimates of your own figures",
        "The methods behind the matrix, for counts and amounts that come from elsewhere.",
        ("estimate_rates", "estimate_counts", "estimate_log_means", "estimate_effects"),
    ),
    "views": (
        "Figures and tables",
        "How results are shown. Each takes a result and gives a block that notebooks and reports "
        "show.",
        ("views",),
    ),
}  # fmt: skip
"""Page -> heading, what it is about, and its names in the order of use."""


def face_pages():
    """Return file name -> text: a page a topic, and the one that lists them."""
    told = set()
    pages = {}
    for page, (heading, about, names) in TOPICS.items():
        body = _views() if page == "views" else _topic(names, told)
        pages[f"api/{page}.rst"] = "\n".join([_title(heading, "="), about, "", *body, ""])
    listed = "\n".join(f"generated/api/{page}" for page in ("index", *TOPICS))
    toctree = f"```{{toctree}}\n:caption: Python\n\n{listed}\n```\n"
    return {"api/index.md": _index(), "api/list.txt": toctree, **pages}


def _index():
    lines = [
        "# Python",
        "",
        "`import salesnb as sn` gives the names below, grouped in the order in which they are "
        "used. What is not here is not for use from outside and may change.",
        "",
        "| Step | Names |",
        "|---|---|",
    ]
    for page, (heading, _, names) in TOPICS.items():
        linked = ", ".join(_link(name) for name in names)
        lines.append(f"| [{heading}]({page}.rst) | {linked} |")
    shared = _class(Result, "salesnb.analysis.result")
    lines += ["", "## Every result", "", "```{eval-rst}", *shared, "```", ""]
    return "\n".join(lines)


def _link(name):
    if name == "views":
        return "[views](views.rst)"
    role = "class" if inspect.isclass(getattr(salesnb, name)) else "func"
    return f"{{py:{role}}}`{name} <salesnb.{name}>`"


def _topic(names, told):
    """Document the names, and after each the result it returns, once."""
    for name in names:
        member = getattr(salesnb, name)
        if inspect.isclass(member):
            made = re.sub(r": [^,=]*(?= =|,|\))", "", str(inspect.signature(member)))
            yield from [_title(name, "-"), *_class(member, "salesnb", made.partition(" ->")[0])]
            continue
        yield from [_title(name, "-"), f".. autofunction:: salesnb.{name}", ""]
        result = find_result(member)
        if result is not None and result not in told:
            told.add(result)
            yield from _class(result, result.__module__)


def find_result(function):
    """Return the package's class that a function returns, or None."""
    found = typing.get_type_hints(function).get("return")
    for kind in (found, *typing.get_args(found)):
        if inspect.isclass(kind) and kind.__module__.startswith("salesnb"):
            return kind
    return None


def _class(kind, module, signature=""):
    options = [":members:", f":exclude-members: {', '.join(_OF_SKLEARN)}"]
    name = f"{module}.{kind.__name__}{signature}"
    return [f".. autoclass:: {name}", *(f"   {one}" for one in options), ""]


_OF_SKLEARN = tuple(
    f"set_{method}_request" for method in ("fit", "predict", "predict_proba", "score")
)


def _views():
    """List the views with what they take, each by the first line of its docstring."""
    yield from [".. list-table::", "   :header-rows: 1", "", "   * - ``sn.views.``"]
    yield from ["     - takes", "     - shows"]
    for name in sorted(views.__all__):
        function = getattr(views, name)
        first = next(iter(typing.get_type_hints(function).values()))
        about = (inspect.getdoc(function) or "").splitlines()[0]
        taken = getattr(first, "__name__", str(first))
        yield from [f"   * - ``{name}``", f"     - {taken}", f"     - {about}"]


def _title(text, line):
    return f"{text}\n{line * len(text)}\n"
