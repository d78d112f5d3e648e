"""An import as a reader of its reports should know it: what came in, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from salesnb.analysis.wording import begin_large
from salesnb.language import format_number, mark, tr, tr_many
from salesnb.measures.catalogue import find_kpis
from salesnb.measures.measures import Measures
from salesnb.sources.notices.notice import SEVERAL, Notice, by_table
from salesnb.sources.report import LoadReport
from salesnb.views.blocks import Block, Headline, Headlines, Note, Remark, Remarks, Table

_WARNINGS, _DRIFT = "warnings", "drift"
_COLUMNS = {
    "table": mark("table"),
    "read": mark("read"),
    "left_out": mark("left out"),
    "merged": mark("merged"),
    "superseded": mark("superseded"),
    "accepted": mark("accepted"),
    "refused": mark("refused"),
    "reason": mark("reason"),
    "rows": mark("rows"),
    "examples": mark("examples"),
    "action": mark("action"),
}
"""Column of the load report -> its name inside a sentence; it begins a heading too."""


def load_headlines(report: LoadReport, measures: Measures) -> Block:
    """Show what the import and its gaps mean for the reports."""
    report = report.told()
    refused = Headline(
        report.finding,
        tr("Each refused row is in quarantine with its reason; nothing else was dropped."),
        "strong",
        "refusals" if report.refused else "load",
    )
    known = {kpi.kpi: kpi.label for kpi in find_kpis()}
    labels = [known.get(name, name) for name in measures.missing]
    lacking = Headline(
        tr("{n} KPIs are left out for want of data.", n=format_number(len(labels))),
        f"{', '.join(labels)}.", "strong", "kpis",
    )  # fmt: skip
    items = [
        refused,
        *_noticed(f"{_to_know(report)}.", report.warnings, _WARNINGS),
        *_noticed(f"{_changed(report)}.", report.drift, _DRIFT),
        *([lacking] if labels else []),
    ]
    return Headlines(tuple(items))


def _noticed(what: str, notices: Sequence[Notice], anchor: str) -> list[Headline]:
    if not notices:
        return []
    most = sorted(notices, key=lambda notice: -len(notice.kpis))[:2]
    why = " ".join(notice.what for notice in most)
    return [Headline(what, why, "strong", anchor)]


def _to_know(report: LoadReport) -> str:
    return tr_many(
        "{n} thing to know before you trust the KPIs",
        "{n} things to know before you trust the KPIs",
        len(report.warnings),
    )


def _changed(report: LoadReport) -> str:
    return tr_many(
        "{n} thing changed since the last import",
        "{n} things changed since the last import",
        len(report.drift),
    )


def _heading(column: str) -> str:
    return begin_large(tr(_COLUMNS[column]))


def load_table(report: LoadReport) -> Block:
    """Show per table what came in, was merged, accepted and refused."""
    frame = report.shown_frame()
    outcomes = " + ".join(tr(_COLUMNS[name]) for name in frame.columns[2:])
    return Table.from_frame(
        frame.rename(columns=_heading),
        title=report.finding,
        caption=tr("Rows read = {outcomes}, in every table.", outcomes=outcomes),
        anchor="load",
    )


def refusals_table(report: LoadReport) -> Block:
    """Show why rows were refused, with examples and what to do."""
    frame = report.told().refusals_frame()
    if frame.empty:
        return Note(tr("No row was refused."), "info")
    return Table.from_frame(
        frame.rename(columns=_heading),
        title=tr("Rows were refused for {n} reasons", n=format_number(len(frame))),
        caption=tr("The rows are kept, with their original text, in the snapshot's quarantine."),
        anchor="refusals",
    )


def load_warnings(report: LoadReport) -> Block:
    """Show, table by table, what is odd in accepted rows and what it does to KPIs."""
    report = report.told()
    if not report.warnings:
        return Note(tr("Nothing that was accepted looks odd."), "info")
    return _remarks(
        _to_know(report),
        tr("These rows were accepted and count; nothing was changed or left out because of this."),
        report.warnings,
        _WARNINGS,
    )


def load_drift(report: LoadReport) -> Block:
    """Show, table by table, what differs from the import before and should not."""
    report = report.told()
    if not report.compared_with:
        return Note(
            tr("This is the first import into its folder: nothing to compare with."), "info"
        )
    if not report.drift:
        return Note(
            tr("Nothing changed since the last import but for new rows of new days."), "info"
        )
    return _remarks(
        _changed(report),
        tr(
            "Compared with snapshot {snapshot}; new rows of new days are not listed.",
            snapshot=report.compared_with,
        ),
        report.drift,
        _DRIFT,
    )


def _remarks(title: str, caption: str, notices: Sequence[Notice], anchor: str) -> Block:
    groups = tuple(
        (tr(SEVERAL) if table == SEVERAL else table, tuple(map(_remark, group)))
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
        *((tr("Resolved by the mapping"), line) for line in report.resolved),
        *((tr("File not used"), name) for name in report.unused_files),
        *((tr("Table absent"), name) for name in report.absent),
    ]
    if not rows:
        return Note(tr("Every table of the model is there, and every file was used."), "info")
    return Table.from_frame(
        pd.DataFrame(rows, columns=[tr("What"), tr("Detail")]),
        title=tr("What else this export has and has not"),
        anchor="notes",
    )


def kpi_needs(measures: Measures) -> Block:
    """Show for every KPI whether it could be computed, and if not what it needs."""
    rows = [(kpi.label, tr("computed"), "") for kpi in measures.kpis]
    labels = {kpi.kpi: kpi.label for kpi in find_kpis()}
    rows += [
        (labels.get(name, name), tr("left out"), tr("needs {tables}", tables=need))
        for name, need in measures.missing.items()
    ]
    return Table.from_frame(
        pd.DataFrame(rows, columns=[tr("KPI"), tr("State"), tr("Needs")]),
        title=tr(
            "{n} of {all} KPIs could be computed",
            n=format_number(len(measures.kpis)),
            all=format_number(len(rows)),
        ),
        anchor="kpis",
    )
