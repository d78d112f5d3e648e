"""Reports made by the workers of a Dask cluster, into a folder that all of them reach."""

from __future__ import annotations

from salesnb.errors import ParameterError
from salesnb.publish.kernel import ONE_THREAD, Isolation
from salesnb.publish.manifest import Record
from salesnb.publish.plan import Job, Plan
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
        The batch; its plan is sent to each worker once.
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
    with client:
        plan = client.scatter(run.plan, broadcast=True)  # type: ignore[no-untyped-call]
        names = learn_imports({job.notebook for job in jobs})
        futures = {}
        for job in jobs:
            run.begin(job)
            future = client.submit(
                _make, job, plan, run.isolation, names, key=f"{job.slug}-{job.fingerprint}",
                pure=False,
            )  # fmt: skip
            futures[future] = job
            yield Started(job, len(futures), 0)
        try:
            for future in as_completed(list(futures)):  # type: ignore[no-untyped-call]
                record: Record = future.result()
                run.record(record)
                yield Done(futures[future], record, is_new=True)
        except BaseException:
            client.cancel(list(futures), force=True)  # type: ignore[no-untyped-call]
            raise


def _make(job: Job, plan: Plan, isolation: Isolation, names: tuple[str, ...]) -> Record:
    """Make one report, on a worker."""
    if isolation == "warm":
        start_server(names, ONE_THREAD)
    return run_report(job, plan, isolation=isolation)
