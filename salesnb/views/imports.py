"""An import as a reader of its reports should know it: what came in, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from salesnb.measures.catalogue import find_kpis
from salesnb.measures.measures import Measures
from salesnb.sources.notices.notice import Notice, by_table
from salesnb.sources.report import LoadReport
from salesnb.views.blocks import Block, Headline, Headlines, Note, Remark, Remarks, Table

_WARNINGS, _DRIFT = "warnings", "drift"


def load_headlines(report: LoadReport, measures: Measures) -> Block:
    """Show what the import and its gaps mean for the reports."""
    report = report.told()
    refused = Headline(
        report.finding,
        "Each refused row is in quarantine with its reason; nothing else was dropped.",
        "strong",
        "refusals" if report.refused else "load",
    )
    known = {kpi.kpi: kpi.label for kpi in find_kpis()}
    labels = [known.get(name, name) for name in measures.missing]
    lacking = Headline(
        f"{len(labels)} KPIs are left out for want of data.", f"{', '.join(labels)}.", "strong",
        "kpis",
    )  # fmt: skip
    items = [
        refused,
        *_noticed("to know before you trust the KPIs", report.warnings, _WARNINGS),
        *_noticed("changed since the last import", report.drift, _DRIFT),
        *([lacking] if labels else []),
    ]
    return Headlines(tuple(items))


def _noticed(what: str, notices: Sequence[Notice], anchor: str) -> list[Headline]:
    if not notices:
        return []
    most = sorted(notices, key=lambda notice: -len(notice.kpis))[:2]
    why = " ".join(notice.what for notice in most)
    return [Headline(f"{_things(len(notices))} {what}.", why, "strong", anchor)]


def _things(count: int) -> str:
    return "1 thing" if count == 1 else f"{count} things"


def load_table(report: LoadReport) -> Block:
    """Show per table what came in, was merged, accepted and refused."""
    frame = report.shown_frame().rename(columns=lambda name: name.capitalize().replace("_", " "))
    outcomes = " + ".join(name.lower() for name in frame.columns[2:])
    return Table.from_frame(
        frame,
        title=report.finding,
        caption=f"Rows read = {outcomes}, in every table.",
        anchor="load",
    )


def refusals_table(report: LoadReport) -> Block:
    """Show why rows were refused, with examples and what to do."""
    frame = report.told().refusals_frame()
    if frame.empty:
        return Note("No row was refused.", "info")
    return Table.from_frame(
        frame.rename(columns=str.capitalize),
        title=f"Rows were refused for {len(frame)} reasons",
        caption="The rows are kept, with their original text, in the snapshot's quarantine.",
        anchor="refusals",
    )


def load_warnings(report: LoadReport) -> Block:
    """Show, table by table, what is odd in accepted rows and what it does to KPIs."""
    report = report.told()
    if not report.warnings:
        return Note("Nothing that was accepted looks odd.", "info")
    return _remarks(
        f"{_things(len(report.warnings))} to know before you trust the KPIs",
        "These rows were accepted and count; nothing was changed or left out because of this.",
        report.warnings,
        _WARNINGS,
    )


def load_drift(report: LoadReport) -> Block:
    """Show, table by table, what differs from the import before and should not."""
    report = report.told()
    if not report.compared_with:
        return Note("This is the first import into its folder: nothing to compare with.", "info")
    if not report.drift:
        return Note("Nothing changed since the last import but for new rows of new days.", "info")
    return _remarks(
        f"{_things(len(report.drift))} changed since the last import",
        f"Compared with snapshot {report.compared_with}; new rows of new days are not listed.",
        report.drift,
        _DRIFT,
    )


def _remarks(title: str, caption: str, notices: Sequence[Notice], anchor: str) -> Block:
    groups = tuple(
        (table, tuple(_remark(notice) for notice in group))
        for table, group in by_table(notices).items()
    )
    return Remarks(title=title, caption=caption, groups=groups, anchor=anchor)


def _remark(notice: Notice) -> Remark:
    labels = tuple(kpi.label for kpi in find_kpis(notice.kpis))
    return Remark(notice.what, notice.effect, labels, notice.action)


def load_notes(report: LoadReport) -> Block:
    """Show what aliases resolved, and what the export does not have or was not used."""
    report = report.told()
    rows = [
        *(("Resolved by the mapping", line) for line in report.resolved),
        *(("File not used", name) for name in report.unused_files),
        *(("Table absent", name) for name in report.absent),
    ]
    if not rows:
        return Note("Every table of the model is there, and every file was used.", "info")
    return Table.from_frame(
        pd.DataFrame(rows, columns=["What", "Detail"]),
        title="What else this export has and has not",
        anchor="notes",
    )


def kpi_needs(measures: Measures) -> Block:
    """Show for every KPI whether it could be computed, and if not what it needs."""
    rows = [(kpi.label, "computed", "") for kpi in measures.kpis]
    labels = {kpi.kpi: kpi.label for kpi in find_kpis()}
    rows += [
        (labels.get(name, name), "left out", f"needs {need}")
        for name, need in measures.missing.items()
    ]
    return Table.from_frame(
        pd.DataFrame(rows, columns=["KPI", "State", "Needs"]),
        title=f"{len(measures.kpis)} of {len(rows)} KPIs could be computed",
        anchor="kpis",
    )
