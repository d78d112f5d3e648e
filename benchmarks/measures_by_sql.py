"""The same sums in DuckDB SQL, written by hand for one company: what `compute_measures` may cost.

One grouped query a cohort, with what is known of `large_company`: fiscal years are calendar years,
the day of the export is the last of its quarter, nobody is on leave, no quota ramps up, and no
old pictures of the pipeline were kept. Columns are named as `measures_compared` reads them.
"""

from __future__ import annotations

import duckdb
import pandas as pd
from large_company import FIRST, LAST

Tables = dict[str, list[str]]
SETTINGS = "set threads = 2; set preserve_insertion_order = false; set perfect_ht_threshold = 16;"
"""As of salesnb's engine, and as many threads."""

_DAYS = f"(select range::date as day from range(date '{FIRST}', date '{LAST}' + 2, interval 1 day))"
_SETUP = f"""
create table quarters as
select range::date as quarter, (range + interval 3 month)::date as next, next - quarter as n_days
from range(date '{FIRST}', date '{LAST}' + 1, interval 3 month);

create table weekdays as
select day, count(*) filter (isodow(day) < 6) over (
    order by day rows between unbounded preceding and 1 preceding) as before
from {_DAYS};

create table members as
select rep_id, team_id, coalesce(valid_from, date '1900-01-01') as valid_from,
    coalesce(valid_to, date '2200-01-01') as valid_to
from memberships;

create table daily_rates as
select days.currency, days.day, rate
from (select * from (select distinct currency from exchange_rates), {_DAYS}) as days
asof join exchange_rates on exchange_rates.currency = days.currency and rate_on <= day;

create view deals as
select *, is_closed and closed_on <= date '{LAST}' as is_decided, is_decided and is_won as won
from opportunities where created_on <= date '{LAST}';

create view money as
select deals.*,
    case when amount > 0 then amount * if(coalesce(deals.currency, 'USD') = 'USD', 1, rate) end
        as money
from deals left join daily_rates on daily_rates.currency = deals.currency
    and day = if(is_decided, closed_on, date '{LAST}');
"""

_SELECT = """
select coalesce(fact.rep_id, '') as rep_id, coalesce(team_id, '') as team_id,
    date_trunc('quarter', {on}) as quarter, {sums}
from {fact} as fact left join members
    on members.rep_id = fact.rep_id and {on} >= valid_from and {on} < valid_to
where {where}
group by all"""


def _grouped(fact: str, on: str, sums: str, where: str) -> str:
    return _SELECT.format(fact=fact, on=on, sums=sums, where=where)


_SEEN = f"between date '{FIRST}' and date '{LAST}'"
QUERIES = {
    "people": """
        with spans as (
            select rep_id, team_id, quarter, n_days,
                greatest(valid_from, hired_on, quarter) as start,
                least(valid_to, coalesce(left_on, date '2200-01-01'), next) as stop
            from members join reps using (rep_id), quarters where start < stop
        )
        select rep_id, team_id, quarter, sum((stop - start) / n_days) as active_share,
            sum(until_stop.before - until_start.before) as working_days,
            sum(target * (stop - start) / n_days) as quota
        from spans join weekdays as until_start on until_start.day = start
            join weekdays as until_stop on until_stop.day = stop
            left join targets on owner_kind = 'rep' and owner_id = rep_id and kpi = 'bookings'
                and period = year(quarter) || 'Q' || quarter(quarter)
        group by all""",
    "closed": _grouped(
        "money", "closed_on", """
        count(*) as n_decided, count(*) filter (won) as n_won,
        sum(money) filter (won) as money, sum(money * money) filter (won) as money_squares,
        count(money) filter (won) as n_money, sum(ln(money)) filter (won) as log_money,
        sum(ln(money) * ln(money)) filter (won) as log_money_squares,
        sum(closed_on - created_on) filter (won) as days,
        count(closed_on - created_on) filter (won) as n_days,
        sum(ln(greatest(closed_on - created_on, 0.5))) filter (won) as log_days,
        sum(pow(ln(greatest(closed_on - created_on, 0.5)), 2)) filter (won) as log_days_squares""",
        f"is_decided and closed_on {_SEEN}",
    ),
    "created": _grouped(
        "deals", "created_on", "count(*) as n_created, count(*) filter (won) as n_created_won",
        f"created_on {_SEEN}",
    ),
    "qualified": _grouped(
        "money", "qualified_on", """sum(money) as qualified, count(money) as n_qualified,
        sum(money * money) as qualified_squares""", f"qualified_on {_SEEN}",
    ),
    "due": _grouped(
        "money", f"date '{LAST}'", """sum(money) as due, count(money) as n_due,
        sum(money * money) as due_squares""",
        f"not is_decided and expected_close_on between "
        f"date_trunc('quarter', date '{LAST}') and date '{LAST}'",
    ),
    "leads": _grouped(
        "(select leads.*, won from leads left join deals on opportunity_id = "
        "converted_opportunity_id)", "created_at",
        "count(*) as n_leads, count(*) filter (won) as n_leads_won",
        "coalesce(lower(rejected_reason) not in ('duplicate', 'invalid'), true) "
        f"and created_at::date {_SEEN}",
    ),
    "activities": _grouped(
        "activities", "started_at", """
        count(*) filter (kind = 'call' and coalesce(seconds >= 60, true)) as n_calls,
        count(*) filter (kind = 'meeting') as n_meetings""",
        "kind in ('call', 'meeting') and coalesce(is_connected, true) "
        f"and started_at::date {_SEEN}",
    ),
    "values": _grouped(
        "deals", "closed_on", "closed_on - created_on as value, count(*) as n",
        f"won and closed_on {_SEEN}",
    ),
}  # fmt: skip

_READ = {
    "opportunities": "opportunity_id, rep_id, created_on, qualified_on, closed_on, "
    "expected_close_on, is_won, is_closed, amount, currency",
    "leads": "rep_id, created_at, converted_opportunity_id, rejected_reason",
    "activities": "rep_id, kind, started_at, seconds, is_connected",
}


def measure_by_sql(tables: Tables) -> dict[str, pd.DataFrame]:
    """Compute the sums per rep, team and quarter from the Parquet files of each table."""
    with _open(tables) as db:
        db.execute(_SETUP)
        return {name: db.execute(sql).df() for name, sql in QUERIES.items()}


def scan(tables: Tables) -> None:
    """Read each fact's columns that any KPI needs, once: no pass can cost less."""
    with _open(tables) as db:
        for table, names in _READ.items():
            read = ", ".join(f"bit_xor(hash({name}))" for name in names.split(", "))
            db.execute(f"select {read} from {table}").fetchall()


def _open(tables: Tables) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    db.execute(SETTINGS)
    for name, files in tables.items():
        db.execute(f"create view {name} as from read_parquet({files}, union_by_name = true)")
    return db
