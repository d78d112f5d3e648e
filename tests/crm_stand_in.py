"""A local HTTP server that answers as the CRMs' APIs do, as far as their documentation says.

Salesforce: the token endpoint, `describe`, `queryAll` with a small SOQL, and the next records.
HubSpot: lists of records, owners and pipelines. It refuses what they refuse: wrong credentials,
unknown fields, fields that cannot be filtered by, pages that are too large.
"""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

_SOQL = re.compile(r"SELECT (?P<what>.+?) FROM (?P<table>\w+)(?: WHERE (?P<where>.+))?$")
_CONDITION = re.compile(r"(?P<field>[\w.]+) (?P<sign>>=|<=|=) (?P<value>\S+)$")
_VERSION = "v64.0"


class Refusal(Exception):
    def __init__(self, status, body, headers=()):
        super().__init__(status)
        self.answer = status, body, dict(headers)


class Salesforce:
    """Tables of rows as JSON gives them; a field an object lacks is in none of its rows."""

    client = ("the-client-id", "the-client-secret-0123456789")
    token = "00D-the-access-token-abcdefgh"
    page_size = 2

    def __init__(self):
        self.tables = {}
        self.fields = {}
        self.unfiltered = {"Name", "Description"}
        self.queries = []
        self.cursors = {}
        self.numbers = count(1)
        self.next_host = ""

    def add_table(self, name, fields, rows):
        self.fields[name] = tuple(fields)
        self.tables[name] = [dict.fromkeys(fields) | row for row in rows]

    def sign_in(self, form):
        if form.get("grant_type") != ["client_credentials"]:
            raise Refusal(400, {"error": "unsupported_grant_type"})
        if (form["client_id"][0], form["client_secret"][0]) != self.client:
            said = "invalid client credentials"
            raise Refusal(400, {"error": "invalid_client", "error_description": said})
        return {"access_token": self.token, "token_type": "Bearer", "scope": "api"}

    def answer(self, path, query):
        root = f"/services/data/{_VERSION}"
        if match := re.fullmatch(rf"{root}/sobjects/(\w+)/describe", path):
            return self.describe(match[1])
        if path == f"{root}/queryAll":
            return self.first_page(query["q"][0])
        if match := re.fullmatch(rf"{root}/query/(\w+)-(\d+)", path):
            return self.page(match[1], int(match[2]))
        raise Refusal(404, [{"errorCode": "NOT_FOUND", "message": "no such resource"}])

    def describe(self, name):
        if name not in self.fields:
            said = "The requested resource does not exist"
            raise Refusal(404, [{"errorCode": "NOT_FOUND", "message": said}])
        fields = [
            {"name": field, "type": "string", "filterable": field not in self.unfiltered}
            for field in self.fields[name]
        ]
        return {"name": name, "queryable": True, "fields": fields}

    def first_page(self, soql):
        self.queries.append(soql)
        match = _SOQL.fullmatch(soql)
        table, what = match["table"], match["what"].split(", ")
        known = {*self.fields[table], "COUNT()"}
        unknown = [name for name in what if name not in known]
        if unknown:
            said = f"No such column '{unknown[0]}' on entity '{table}'"
            raise Refusal(400, [{"errorCode": "INVALID_FIELD", "message": said}])
        conditions = [c for c in (match["where"] or "").split(" AND ") if c]
        rows = [row for row in self.tables[table] if all(self.holds(row, c) for c in conditions)]
        if what == ["COUNT()"]:
            return {"totalSize": len(rows), "done": True, "records": []}
        cursor = f"01g{next(self.numbers)}"
        self.cursors[cursor] = [
            {"attributes": {"type": table}, **{name: row[name] for name in what}} for row in rows
        ]
        return self.page(cursor, 0)

    def holds(self, row, condition):
        field, sign, value = _CONDITION.fullmatch(condition).groups()
        if field.startswith("Opportunity."):
            row = next(o for o in self.tables["Opportunity"] if o["Id"] == row["OpportunityId"])
            field = field.removeprefix("Opportunity.")
        if field in self.unfiltered:
            raise Refusal(400, [{"errorCode": "INVALID_FIELD", "message": f"{field} no filter"}])
        if sign == "=":
            return str(row[field]).lower() == value
        moment = value.removesuffix("Z").ljust(23, ".").replace("....", ".000")
        there = row[field].removesuffix("+0000")
        return there >= moment if sign == ">=" else there <= moment

    def page(self, cursor, start):
        rows = self.cursors[cursor]
        end = start + self.page_size
        answer = {"totalSize": len(rows), "done": end >= len(rows), "records": rows[start:end]}
        if end < len(rows):
            url = f"{self.next_host}/services/data/{_VERSION}/query/{cursor}-{end}"
            answer["nextRecordsUrl"] = url
        return answer


class HubSpot:
    """Records by object; owners; pipelines; `scopes` that the app was not granted."""

    token = "pat-eu1-the-private-token-0123"
    page_size = 2

    def __init__(self):
        self.records = {}
        self.owners = []
        self.pipelines = []
        self.withheld = {}
        self.asked = []
        self.is_stuck = False

    def answer(self, path, query):
        name = path.rpartition("/")[2]
        query = {key: values[0] for key, values in query.items()}
        self.asked.append((path, query))
        if name in self.withheld:
            error = {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": [self.withheld[name]]},
            }
            said = "This app hasn't been granted all required scopes to make this call."
            body = {"category": "MISSING_SCOPES", "message": said, "errors": [error]}
            raise Refusal(403, {"status": "error", **body})
        is_archived = query.get("archived") == "true"
        if path == "/crm/v3/owners":
            return self.page([o for o in self.owners if o["archived"] == is_archived], query)
        if path == "/crm/v3/pipelines/deals":
            return {"results": self.pipelines}
        if path == f"/crm/v3/objects/{name}":
            most = 50 if "propertiesWithHistory" in query else 100
            if int(query.get("limit", 10)) > most:
                raise Refusal(400, {"category": "VALIDATION_ERROR", "message": "limit too large"})
            kept = [
                r for r in self.records.get(name, []) if r.get("archived", False) == is_archived
            ]
            return self.page([self.shown(record, query) for record in kept], query)
        raise Refusal(404, {"message": "no such resource"})

    @staticmethod
    def shown(record, query):
        """A record with what was asked for; unknown properties are passed over in silence."""
        wanted = [*query.get("properties", "").split(","), "hs_object_id"]
        given = record.get("properties", {})
        answer = {
            "id": record["id"],
            "properties": {name: given[name] for name in wanted if name in given},
            "createdAt": "2024-01-01T00:00:00Z",
            "updatedAt": record.get("updatedAt", "2024-02-01T00:00:00.000Z"),
            "archived": record.get("archived", False),
        }
        links = record.get("associations", {})
        kinds = [kind for kind in query.get("associations", "").split(",") if kind in links]
        if kinds:
            answer["associations"] = {kind: {"results": links[kind]} for kind in kinds}
        if "propertiesWithHistory" in query:
            answer["propertiesWithHistory"] = record.get("propertiesWithHistory", {})
        return answer

    def page(self, rows, query):
        start = int(query.get("after", 0))
        size = min(int(query.get("limit", 10)), self.page_size)
        answer = {"results": rows[start : start + size]}
        if start + size < len(rows):
            after = str(size if self.is_stuck else start + size)
            answer["paging"] = {"next": {"after": after, "link": "https://elsewhere.example"}}
        return answer


class StandIn:
    """The server: `url`, the two CRMs, faults to come, and the requests it had."""

    def __init__(self, url):
        self.url = url
        self.salesforce = Salesforce()
        self.hubspot = HubSpot()
        self.faults = []
        self.requests = []

    def fail(self, part, status, *, times=1, body=None, headers=()):
        """Answer the next requests whose path contains `part` with a fault."""
        self.faults += [(part, status, body or {}, dict(headers))] * times

    def answer(self, method, target, headers, form):
        parts = urlsplit(target)
        self.requests.append(f"{method} {target}")
        for fault in self.faults:
            if fault[0] in target:
                self.faults.remove(fault)
                return fault[1:]
        try:
            return 200, self.route(parts, headers.get("Authorization"), form), {}
        except Refusal as refusal:
            return refusal.answer

    def route(self, parts, signed, form):
        query = parse_qs(parts.query)
        if parts.path == "/services/oauth2/token":
            return self.salesforce.sign_in(form)
        if parts.path.startswith("/services/"):
            if signed != f"Bearer {self.salesforce.token}":
                said = "Session expired or invalid"
                raise Refusal(401, [{"errorCode": "INVALID_SESSION_ID", "message": said}])
            return self.salesforce.answer(parts.path, query)
        if signed != f"Bearer {self.hubspot.token}":
            said = f"The token {signed} is invalid."
            raise Refusal(401, {"category": "INVALID_AUTHENTICATION", "message": said})
        return self.hubspot.answer(parts.path, query)


@contextmanager
def running_stand_in():
    """Run a stand-in on a free port of this machine until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self):
            length = int(self.headers.get("Content-Length") or 0)
            form = parse_qs(self.rfile.read(length).decode())
            status, body, headers = stand_in.answer(self.command, self.path, self.headers, form)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = serve

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in = StandIn(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
