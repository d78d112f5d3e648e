"""A large company's raw export for benchmarks: CSV files named like the tables, any size.

Everything follows from row numbers through DuckDB's `hash`, so the same size gives the same files.
Sizes of the export are told by the number of opportunities: there are four activities and a fifth
of a lead to each. Some 2,000 people sell in 160 teams over three years and in five currencies.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb

N_REPS, N_TEAMS, N_REGIONS = 2000, 160, 16
FIRST, LAST = dt.date(2023, 7, 1), dt.date(2026, 6, 30)
N_DAYS = (LAST - FIRST).days + 1
ACTIVITIES_PER_OPPORTUNITY, OPPORTUNITIES_PER_LEAD = 4, 5
VETERANS = 1000
"""Reps hired before the first day who never leave: they take over what is left behind."""

COMPANY = f"""name: Large
currency: USD
fiscal_year_start: 1
as_of: {LAST}
"""

_MACROS = f"""
create macro share(row, salt) as (hash(row * 64 + salt) >> 11) / 9007199254740992.0;
create macro bell(row, salt) as
    sqrt(-2 * ln(1 - share(row, salt))) * cos(2 * pi() * share(row, salt + 1));
create macro first_day() as date '{FIRST}';
create macro last_day() as date '{LAST}';
create macro at_share(done) as floor(done * {N_DAYS})::int;
create macro rep_of(number) as format('0055g{{:010d}}', number);
create macro opportunity_of(number) as format('0065g{{:010d}}', number);
create macro pick(row, salt) as floor(pow(share(row, salt), 1.2) * {N_REPS})::bigint;
create table people as
select number,
    case when number < {VETERANS} then first_day() - (30 + share(number, 1) * 2500)::int
        else first_day() + (share(number, 1) * 900)::int end as hired_on,
    case when number >= {VETERANS} and number % 6 = 2
        then hired_on + (120 + share(number, 2) * 600)::int end as left_on,
    case when number % 6 = 1
        then greatest(hired_on, first_day()) + (90 + share(number, 3) * 400)::int end as moved_on,
from (select range as number from range({N_REPS}));
"""

_SMALL = {
    "reps": """
        select rep_of(number) as rep_id, format('Rep {:04d}', number) as name,
            if(number % 5 = 0, 'Enterprise', 'Commercial') as role, hired_on, left_on
        from people""",
    "teams": f"""
        select format('T{{:03d}}', range) as team_id, format('Team {{:03d}}', range) as name,
            format('R{{:02d}}', range % {N_REGIONS}) as parent_id from range({N_TEAMS})
        union all
        select format('R{{:02d}}', range), format('Region {{:02d}}', range), null
        from range({N_REGIONS})""",
    "memberships": f"""
        select rep_of(number) as rep_id, format('T{{:03d}}', number % {N_TEAMS}) as team_id,
            hired_on as valid_from, moved_on as valid_to from people
        union all
        select rep_of(number), format('T{{:03d}}', (number + 37) % {N_TEAMS}), moved_on, null
        from people where moved_on is not null""",
    "targets": """
        select 'rep' as owner_kind, rep_of(number) as owner_id,
            year(day) || 'Q' || quarter(day) as period, 'bookings' as kpi,
            200000 + 1000 * (share(number, 4) * 300)::int as target
        from people, (select range::date as day
            from range(first_day(), last_day() + 1, interval 3 month))""",
    "exchange_rates": """
        select currency, day::date as rate_on,
            round(base * (1 + 0.05 * sin(epoch(day) / 1e7)), 6) as rate
        from (values ('EUR', 1.09), ('GBP', 1.27), ('CHF', 1.12), ('JPY', 0.0067))
                as rates(currency, base),
            (select range as day from range(first_day(), last_day() + 1, interval 1 month))""",
    "stages": """
        from (values ('Discovery', 1, false, false, false), ('Proposal', 2, true, false, false),
            ('Negotiation', 3, true, false, false), ('Closed Won', 4, true, true, false),
            ('Closed Lost', 5, false, false, true))
            as stages(stage, stage_order, is_qualified, is_won, is_lost)""",
}

_OPPORTUNITIES = """
with drawn as (
    select range as row, first_day() + at_share(row / {n}) as created_on,
        ceil(exp(3.6 + 0.8 * bell(row, 1)))::int as took,
        created_on + took as done_on,
        done_on <= last_day() and share(row, 3) >= 0.07 as is_closed,
        is_closed and share(row, 4) < 0.28 as is_won,
        created_on + (took * 0.3)::int as seen_on,
        pick(row, 5) as wanted, share(row, 6) as money,
    from range({n})
)
select opportunity_of(row) as opportunity_id,
    rep_of(if(hired_on <= created_on and left_on is null, number, number % {veterans})) as rep_id,
    format('0015g{{:010d}}', (share(row, 7) * {n} / 8)::bigint) as account_id,
    ['Web', 'Event', 'Referral', 'Outbound', 'Partner'][1 + (share(row, 8) * 4.99)::int] as source,
    created_on,
    if(seen_on <= last_day() and (is_won or share(row, 9) < 0.6), seen_on, null) as qualified_on,
    if(is_closed, done_on, null) as closed_on,
    if(is_closed, created_on + (took * (0.7 + 0.6 * share(row, 10)))::int,
        last_day() + (share(row, 10) * 150)::int - 30) as expected_close_on,
    case when is_won then 'Closed Won' when is_closed then 'Closed Lost'
        when qualified_on is null then 'Discovery'
        else ['Proposal', 'Negotiation'][1 + row % 2] end as stage,
    is_won, is_closed,
    case when share(row, 11) < 0.04 and not is_won then null
        else round(exp(8.8 + 1.1 * bell(row, 12)) * if(money > 0.97, 150, 1), 2) end as amount,
    case when money < 0.1 then null when money < 0.55 then 'USD' when money < 0.8 then 'EUR'
        when money < 0.92 then 'GBP' when money < 0.97 then 'CHF' else 'JPY' end as currency,
    ['New Business', 'Renewal', 'Expansion'][1 + (share(row, 14) * 2.99)::int] as type,
    if(is_closed and not is_won,
        ['Price', 'No decision', 'Competitor', 'Timing'][1 + (share(row, 15) * 3.99)::int], null
    ) as loss_reason
from drawn join people on number = wanted"""

_LEADS = """
with drawn as (
    select range as row, first_day() + at_share(row / {leads}) as day, pick(row, 1) as wanted,
        day + interval 1 second * (share(row, 2) * 86399)::int as created_at,
        share(row, 3) as fate,
    from range({leads})
)
select format('00Q5g{{:010d}}', row) as lead_id,
    if(share(row, 4) < 0.05, null,
        rep_of(if(hired_on <= day and left_on is null, number, number % {veterans}))) as rep_id,
    ['Web', 'Event', 'Referral', 'Partner'][1 + (share(row, 5) * 3.99)::int] as source,
    created_at,
    if(fate < 0.4, created_at + interval 1 minute * (share(row, 6) * 4000)::int, null)
        as qualified_at,
    if(fate < 0.8, created_at + interval 1 minute * (share(row, 6) * 2000)::int, null)
        as first_touch_at,
    if(fate < 0.2, opportunity_of(least(row * {per_lead} + row % {per_lead}, {n} - 1)), null)
        as converted_opportunity_id,
    case when fate > 0.96 then 'Duplicate' when fate > 0.91 then 'Invalid'
        when fate > 0.7 then 'No budget' end as rejected_reason
from drawn join people on number = wanted"""

_ACTIVITIES = """
with drawn as (
    select range as row, first_day() + at_share(row / {activities}) as day,
        pick(row, 1) as wanted, share(row, 2) as what,
        day + interval 1 second * (28800 + share(row, 3) * 36000)::int as started_at,
        case when what < 0.55 then 'call' when what < 0.7 then 'meeting' else 'email' end as kind,
    from range({activities})
)
select format('00T5g{{:010d}}', row) as activity_id,
    rep_of(if(hired_on <= day and left_on is null, number, number % {veterans})) as rep_id,
    kind, started_at,
    started_at + interval 1 second * (60 + share(row, 4) * 90000)::int as logged_at,
    case kind when 'call' then (-180 * ln(1 - share(row, 5)))::int
        when 'meeting' then 900 * (1 + share(row, 5) * 4)::int end as seconds,
    case kind when 'call' then share(row, 6) < 0.45 when 'meeting' then share(row, 6) < 0.85 end
        as is_connected,
    if(share(row, 7) < 0.7,
        opportunity_of(greatest(row // {per_opportunity} - (share(row, 8) * {n} / 20)::bigint, 0)),
        null) as opportunity_id
from drawn join people on number = wanted"""


def write_large_company(folder: Path, *, rows: int) -> None:
    """Write an export with `rows` opportunities, four times the activities and a fifth the leads.

    Of the opportunities some 25% are won and 11% open; amounts are log-normal. What somebody not
    yet hired, or who leaves, would have owned goes to a veteran, so every fact's owner is in a
    team on all its days. A sixth of the reps change team once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {
        "n": rows,
        "activities": rows * ACTIVITIES_PER_OPPORTUNITY,
        "leads": rows // OPPORTUNITIES_PER_LEAD,
        "per_opportunity": ACTIVITIES_PER_OPPORTUNITY,
        "per_lead": OPPORTUNITIES_PER_LEAD,
        "veterans": VETERANS,
    }
    facts = {"opportunities": _OPPORTUNITIES, "leads": _LEADS, "activities": _ACTIVITIES}
    queries = {**_SMALL, **{name: sql.format(**sizes) for name, sql in facts.items()}}
    with duckdb.connect() as db:
        db.execute(_MACROS)
        for name, sql in queries.items():
            db.execute(f"copy ({sql}) to '{folder / name}.csv' (format csv, header)")
    (folder / "company.yaml").write_text(COMPANY, encoding="utf-8")
