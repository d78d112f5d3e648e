"""The fetch: a CRM's objects into a folder of Parquet files that its preset reads."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from salesnb.errors import ParameterError

if TYPE_CHECKING:
    from salesnb.sources.crm.source import FetchedFile, FetchReport, Source

CRMS = ("hubspot", "salesforce")

_FIELD = re.compile(r"(\w+)\.(\w+)", re.ASCII)
_ABSENT = (403, 404)


def fetch_crm(
    crm: str,
    *,
    to: str | Path,
    since: dt.date | None = None,
    objects: Sequence[str] = (),
    fields: Sequence[str] = (),
    on_done: Callable[[FetchedFile], None] | None = None,
) -> FetchReport:
    """Fetch a CRM's objects into a folder for `import_snapshot(folder, preset=crm)`.

    Credentials are read from the environment or the keyring. A fetch that fails leaves the folder
    as it was. Salesforce's facts are asked for changes since the last fetch of the same question;
    all else is fetched whole. What was deleted in the CRM is taken out.

    Parameters
    ----------
    crm
        `salesforce` or `hubspot`.
    to
        Folder; files of other names in it are left alone.
    since
        Only opportunities, leads and activities created or changed from this day on. People,
        roles, stages and accounts come whole.
    objects
        Objects to fetch; without them all the preset reads, where the app's user may.
    fields
        Fields wanted besides the usual ones, `Opportunity.Region__c` or `deals.region`.
    on_done
        Called with each file that is finished.

    Returns
    -------
    FetchReport
        Files, rows, and what was missing.

    Raises
    ------
    ParameterError
        The extra is not installed, an argument is wrong, credentials are missing or refused, or
        the folder holds files of these names that no fetch has written.
    SalesnbError
        The CRM cannot be reached, refuses, or the folder cannot be written.
    DataError
        The CRM's answers are not what its API promises.
    """
    source = _find_source(crm)
    from salesnb.sources.crm.api import RefusedError
    from salesnb.sources.crm.source import FetchReport, Job
    from salesnb.sources.crm.store import open_export, replace_files

    names = _choose(source, objects)
    more = _read_fields(names, fields)
    api = source.connect()
    folder, done, left_out = Path(to), [], []
    with open_export(folder, [stem for name in names for stem in source.files[name]]) as work:
        for name in names:
            job = Job(name, work, folder, since.isoformat() if since else "", more[name])
            try:
                files = source.fetch(api, job)
            except RefusedError as error:
                if error.status not in _ABSENT or name in (*objects, *source.required):
                    raise
                left_out.append(f"{name}: left out. {error}")
                continue
            for file in files:
                done.append(file)
                if on_done:
                    on_done(file)
        replace_files([work / f"{file.name}.parquet" for file in done], folder)
    return FetchReport(crm, folder, tuple(done), tuple(left_out))


def _find_source(crm: str) -> Source:
    if crm not in CRMS:
        raise ParameterError(f"fetch: there is no CRM {crm!r}. Choose one of: {', '.join(CRMS)}.")
    if find_spec("dlt") is None:
        raise ParameterError(
            "fetch: needs dlt, which is not installed. Install it: pip install 'salesnb[crm]'"
        )
    source: Source = import_module(f"salesnb.sources.crm.{crm}").SOURCE
    return source


def _choose(source: Source, objects: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in objects if name not in source.files]
    if unknown:
        raise ParameterError(
            f"--objects: {source.name} has no {', '.join(unknown)} here; "
            f"known: {', '.join(source.files)}."
        )
    usual = tuple(name for name in source.files if name not in source.on_request)
    return tuple(dict.fromkeys(objects)) or usual


def _read_fields(names: Sequence[str], fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {name: [] for name in names}
    wrong = []
    for text in fields:
        match = _FIELD.fullmatch(text)
        if match and match[1] in found:
            found[match[1]].append(match[2])
        else:
            wrong.append(text)
    if wrong:
        raise ParameterError(
            f"--fields: {', '.join(wrong)}: expected OBJECT.FIELD of a fetched object "
            f"({', '.join(names)})."
        )
    return {name: tuple(more) for name, more in found.items()}
