"""Reports made by the workers of a Dask cluster, into a folder that all of them reach."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from salesnb.errors import ParameterError
from salesnb.language import use_language
from salesnb.params import RunParams
from salesnb.privacy import read_text
from salesnb.publish.kernel import ONE_THREAD, Isolation
from salesnb.publish.manifest import Record
from salesnb.publish.plan import Job, Plan, make_plan
from salesnb.publish.recorder import Done, Events, Recorder, Started
from salesnb.publish.run import run_report
from salesnb.publish.warm import learn_imports, start_server

_PATIENCE = 10
"""Seconds to wait for the scheduler."""


def make_on_cluster(run: Recorder, jobs: list[Job], *, address: str) -> Events:
    """Make reports on a cluster; a report whose worker dies is made by another.

    Parameters
    ----------
    run
        The batch; each worker plans it for itself, from the same snapshot.
    jobs
        Reports to make.
    address
        Of the scheduler, such as tcp://10.0.0.5:8786.

    Raises
    ------
    ParameterError
        Dask is not installed, or there is no scheduler at the address.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ParameterError(
            "cluster: needs Dask. Install it: pip install 'salesnb[cluster]'."
        ) from error
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ParameterError(f"cluster: no scheduler answers at {address!r} ({error}).") from error
    params = _with_whole_paths(run.plan.params).model_dump_json()
    privacy = run.plan.privacy.to_text()
    names = learn_imports({job.notebook for job in jobs})
    with client:
        futures = {}
        for job in jobs:
            run.begin(job)
            here = replace(job, notebook=job.notebook.resolve())
            key = f"{job.slug}-{job.fingerprint}-{uuid4()}"
            asked = (here, params, privacy, run.isolation, names)
            futures[client.submit(_make, *asked, key=key)] = job
            yield Started(job, len(futures), 0)
        try:
            for future in as_completed(list(futures), loop=client.loop):  # type: ignore[no-untyped-call]
                record: Record = future.result()
                run.record(record)
                yield Done(futures[future], record, is_new=True)
        except BaseException:
            client.cancel(list(futures), force=True)  # type: ignore[no-untyped-call]
            raise


def _with_whole_paths(params: RunParams) -> RunParams:
    """Name files so that they are found from any folder."""
    folders = {name: getattr(params, name).resolve() for name in ("out", "notebooks")}
    files = {
        name: str(Path(given).resolve())
        for name in ("snapshot", "catalogue", "benchmarks")
        if (given := getattr(params, name))
    }
    return params.model_copy(update={**folders, **files})


def _make(
    job: Job, params: str, privacy: str, isolation: Isolation, names: tuple[str, ...]
) -> Record:
    """Make one report, on a worker; its other threads make reports of the same batch."""
    use_language(RunParams.model_validate_json(params).language)
    if isolation == "warm":
        start_server(names, ONE_THREAD)
    return run_report(job, _plan_of(params, privacy), isolation=isolation)


@lru_cache(maxsize=1)
def _plan_of(params: str, privacy: str) -> Plan:
    """Plan the batch, once a worker: what is measured is kept on each machine, for its kernels."""
    return make_plan(RunParams.model_validate_json(params), read_text(privacy))
