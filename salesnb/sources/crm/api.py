"""Requests: dlt's REST client, with refusals and failures as errors a user can act on.

Of dlt this takes the HTTP: paging, OAuth, retries with growing pauses and `Retry-After`. It takes
no pipeline, so that no state, schema or telemetry of it is written or sent anywhere: what the
next fetch has to know stands in the Parquet files themselves (see `store`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.auth import AuthConfigBase
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import HTTPError, Request, RequestException, Response, Session
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import JSONDecodeError, Timeout, TooManyRedirects

from salesnb.errors import DataError, ParameterError, SalesnbError

ATTEMPTS = 6
"""How often a request is sent before a limit (429), a server's fault (5xx) or silence counts."""
PAUSE = 1.0
"""Seconds before the second attempt; each further one waits twice as long."""
_LONGEST_PAUSE = 120.0
_SECONDS = 60.0
_SHOWN = 300
_WRONG_REQUEST = (400, 401)


class RefusedError(SalesnbError):
    """The CRM refused a request."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        if status in _WRONG_REQUEST:
            self.exit_code = ParameterError.exit_code


@dataclass(frozen=True)
class Api:
    """A CRM's HTTP API.

    Attributes
    ----------
    name
        Of the CRM, for messages.
    address
        Scheme and host.
    variables
        What credentials are from, in words, for messages.
    client
        Sends signed requests.
    secrets
        What no message may show.
    """

    name: str
    address: str
    variables: str
    client: RESTClient = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def open_api(
    name: str, address: str, *, variables: str, auth: AuthConfigBase, secrets: tuple[str, ...]
) -> Api:
    """Make an API ready to be asked; nothing is sent yet."""
    client = RESTClient(
        base_url=address,
        auth=auth,
        session=open_session(),
        config=RuntimeConfiguration(),  # as it is: read from no dlt configuration
    )
    return Api(name, address, variables, client, secrets)


def open_session() -> Session:
    """Open a session that retries and follows no redirect, which could take secrets elsewhere."""
    client = Client(
        request_timeout=_SECONDS,
        raise_for_status=False,
        request_max_attempts=ATTEMPTS,
        request_backoff_factor=PAUSE,
        request_max_retry_delay=_LONGEST_PAUSE,
        session_attrs={"max_redirects": 0},
    )
    return client.session


def read_pages(
    api: Api,
    path: str,
    *,
    params: Mapping[str, str],
    rows: str,
    key: str,
    paginator: BasePaginator,
) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Read a list page by page.

    Parameters
    ----------
    api, path, params
        What to ask.
    rows, key
        Where a page's rows are, and what each must have.
    paginator
        Finds the next page.

    Yields
    ------
    tuple
        A page's rows, and the whole answer.

    Raises
    ------
    RefusedError
        The CRM refused.
    SalesnbError
        It cannot be reached, or failed again and again.
    DataError
        The answer is not what this API answers.
    """
    here = ""
    with _understood(api):
        for page in api.client.paginate(
            path, params=dict(params), paginator=paginator, data_selector=rows
        ):
            answer = page.response.json()
            if not isinstance(answer, dict) or not isinstance(answer.get(rows), list):
                raise DataError(f"{api.name}: an answer to {path} has no list {rows!r}.")
            if not all(isinstance(row, dict) and row.get(key) for row in answer[rows]):
                raise DataError(f"{api.name}: {path}: a row of {rows!r} has no {key!r}.")
            yield answer[rows], answer
            if page.paginator.has_next_page:
                here = _check_next(api, page.request, here)


def _check_next(api: Api, request: Request, here: str) -> str:
    """Check that the next page is another one, and where credentials may go."""
    url = request.url if isinstance(request.url, str) else ""
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" != api.address:
        raise DataError(f"{api.name}: the next page is said to be at {parts.netloc}. Not followed.")
    following = f"{url} {request.params!r}"
    if following == here:
        raise DataError(f"{api.name}: page after page is the same ({parts.path}). Fetch again.")
    return following


@contextmanager
def _understood(api: Api) -> Iterator[None]:
    host = urlsplit(api.address).netloc
    try:
        yield
    except HTTPError as error:
        raise _refusal(api, error.response) from error
    except JSONDecodeError as error:
        raise DataError(
            f"{api.name}: {host} answered what is no JSON. Is it the API's address?"
        ) from error
    except TooManyRedirects as error:
        raise ParameterError(
            f"{api.name}: {host} sends requests on to another address, which is not followed. "
            "Set the API's own address."
        ) from error
    except (NoConnection, Timeout) as error:
        raise SalesnbError(
            f"{api.name}: {host} cannot be reached ({type(error).__name__}, {ATTEMPTS} attempts). "
            "Check the network and the address, then fetch again."
        ) from error
    except RequestException as error:
        raise SalesnbError(
            f"{api.name}: a request to {host} failed ({type(error).__name__}). Fetch again."
        ) from error


def _refusal(api: Api, response: Response | None) -> RefusedError:
    if response is None:
        return RefusedError(f"{api.name}: the request was refused. Fetch again.", 0)
    status, said = response.status_code, _describe(response)
    for secret in api.secrets:
        said = said.replace(secret, "***")
    is_sign_in = status == 401 or (status == 400 and "oauth2" in response.url)
    if is_sign_in:
        action = f"Check {api.variables}."
        what = "the credentials were refused"
    elif status == 429 or "LIMIT_EXCEEDED" in said:  # Salesforce answers 403
        status = 429
        action, what = "Fetch again later.", "too many requests"
    elif status >= 500:
        action, what = "Fetch again later.", f"the server failed {ATTEMPTS} times"
    else:
        action = "Give the app's user the right to read this."
        what = "the request was refused"
    return RefusedError(f"{api.name}: {what} ({status}{said and ': '}{said}). {action}", status)


def _describe(response: Response) -> str:
    """Find what a CRM says about its refusal, on one line."""
    try:
        answer = response.json()
    except ValueError:
        return ""
    if isinstance(answer, list) and answer:
        answer = answer[0]
    if not isinstance(answer, dict):
        return ""
    keys = ("errorCode", "error", "category", "policyName", "message", "error_description")
    parts = [str(answer[key]) for key in keys if answer.get(key)]
    return " ".join(" ".join([*parts, *_missing_scopes(answer)]).split())[:_SHOWN]


def _missing_scopes(answer: dict[str, Any]) -> list[str]:
    errors = answer.get("errors")
    contexts = [e.get("context") for e in errors if isinstance(e, dict)] if errors else []
    found: list[str] = []
    for context in contexts:
        if isinstance(context, dict):
            for key in ("requiredGranularScopes", "requiredScopes"):
                found += [str(scope) for scope in context.get(key) or ()]
    return [f"(scopes: {', '.join(found)})"] if found else []
