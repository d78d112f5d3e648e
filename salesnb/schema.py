"""The data model: tables, columns, units and vocabularies. The only home of column names.

Tables are classes of `columns.Column`, listed in `TABLES`.
"""

from __future__ import annotations

from salesnb.columns import TABLES as TABLES
from salesnb.columns import Column as Column
from salesnb.columns import Declaration as Declaration
from salesnb.columns import Fault as Fault
from salesnb.columns import Kind as Kind
from salesnb.columns import Table as Table
from salesnb.columns import boolean as _boolean
from salesnb.columns import date as _date
from salesnb.columns import number as _number
from salesnb.columns import text as _text
from salesnb.columns import timestamp as _timestamp
from salesnb.language import mark


def _rep(about: str, *, required: bool = True, nullable: bool = False) -> Column:
    return _text(
        about, required=required, nullable=nullable, references="reps", on_unknown="refuse"
    )


# Dimensions: who, where, what -------------------------------------------------------------


class reps(Table):
    """People who sell."""

    key = ("rep_id",)
    required = True
    faults = (Fault(mark("left before hired"), "left_on < hired_on"),)
    rep_id = _text("identifier in the CRM")
    name = _text("name as shown in reports", required=True)
    role = _text("role, the peer group for comparison")
    hired_on = _date("first working day")
    left_on = _date("first day no longer employed")


class teams(Table):
    """Teams, each within a parent up to the company."""

    key = ("team_id",)
    team_id = _text("identifier")
    name = _text("name as shown in reports", required=True)
    parent_id = _text("the team this one belongs to", references="teams")


class memberships(Table):
    """Who belonged to which team from when to when."""

    key = ("rep_id", "team_id", "valid_from")
    faults = (Fault(mark("ends before it starts"), "valid_to < valid_from"),)
    rep_id = _rep("member")
    team_id = _text("team", references="teams", on_unknown="refuse")
    manager_id = _text("the manager at that time")
    valid_from = _date("first day; missing means since ever", nullable=True)
    valid_to = _date("first day no longer; missing means still")


class leaves(Table):
    """Absences that shorten quotas and working days."""

    key = ("rep_id", "valid_from")
    faults = (Fault(mark("ends before it starts"), "valid_to < valid_from"),)
    rep_id = _rep("who is away")
    valid_from = _date("first day away")
    valid_to = _date("first day back", required=True)


class holidays(Table):
    """Days on which nobody works, besides weekends."""

    key = ("holiday_on",)
    holiday_on = _date("the day")
    name = _text("its name")


class territories(Table):
    """Sales territories and what they could yield."""

    key = ("territory_id",)
    territory_id = _text("identifier")
    rep_id = _rep("who works it now", required=False)
    potential = _number("expected bookings a quarter by an average rep", unit="money", minimum=0)


class accounts(Table):
    """Customer and prospect companies."""

    key = ("account_id",)
    account_id = _text("identifier")
    name = _text("company name")
    industry = _text("industry")
    country = _text("country")
    territory_id = _text("territory", references="territories")
    is_target = _boolean("on the target account list")


class products(Table):
    """What is sold."""

    key = ("product_id",)
    product_id = _text("identifier")
    name = _text("name")
    list_price = _number("list price of one unit", unit="money", minimum=0)


class stages(Table):
    """Stages of the sales process."""

    key = ("stage",)
    stage = _text("name in the CRM")
    stage_order = _number("position, 1 = first", required=True)
    is_qualified = _boolean("counts as qualified pipeline")
    is_won = _boolean("means won")
    is_lost = _boolean("means lost")


class sources(Table):
    """Lead sources and what was spent on them."""

    key = ("source", "period")
    source = _text("name in the CRM")
    period = _text("fiscal quarter, 2026Q3")
    spend = _number("marketing spend in that quarter", unit="money", minimum=0)


class skills(Table):
    """The competency framework: one row a skill and role."""

    key = ("skill", "role")
    skill = _text("skill identifier")
    role = _text("role the target is for")
    group = _text("group of skills")
    weight = _number("importance set by the manager, any positive scale", minimum=0)
    target = _number("score a ramped rep should reach", unit="score 1-5", minimum=1, maximum=5)
    anchor_1 = _text("what a score of 1 looks like")
    anchor_2 = _text("what a score of 2 looks like")
    anchor_3 = _text("what a score of 3 looks like")
    anchor_4 = _text("what a score of 4 looks like")
    anchor_5 = _text("what a score of 5 looks like")


class courses(Table):
    """Training on offer."""

    key = ("course_id",)
    course_id = _text("identifier")
    name = _text("title")
    skill = _text("the skill it trains", required=True)
    hours = _number("length", unit="hours", minimum=0)
    cost = _number("cost of one seat", unit="money", minimum=0)
    seats = _number("seats a quarter", minimum=0)


class exchange_rates(Table):
    """Dated rates into the reporting currency."""

    key = ("currency", "rate_on")
    currency = _text("ISO 4217 code", letters="upper")
    rate_on = _date("day from which the rate holds")
    rate = _number("reporting currency per unit", required=True, minimum=0)


# Facts: what happened ---------------------------------------------------------------------


class opportunities(Table):
    """Sales opportunities, one row each, as they stand at the snapshot."""

    key = ("opportunity_id",)
    required = True
    faults = (
        Fault(mark("closed before created"), "closed_on < created_on"),
        Fault(mark("qualified before created"), "qualified_on < created_on"),
        Fault(mark("won but not closed"), "is_won and not is_closed"),
        Fault(mark("closed without a close date"), "is_closed and closed_on is null"),
    )
    opportunity_id = _text("identifier")
    rep_id = _rep(
        "owner at close; now, where owner_history says who owned it before", nullable=True
    )
    account_id = _text("customer", references="accounts")
    product_id = _text("product", references="products")
    source = _text("lead source")
    created_on = _date("created in the CRM")
    qualified_on = _date("first qualified")
    closed_on = _date("won or lost on")
    expected_close_on = _date("close date the rep expects")
    stage = _text("stage now", references="stages")
    is_won = _boolean("won", required=True)
    is_closed = _boolean("won or lost", required=True)
    amount = _number("value in `currency`; a lost opportunity's 0 is not an amount", unit="money")
    list_amount = _number("value at list price", unit="money")
    currency = _text("ISO 4217 code; missing means the reporting currency", letters="upper")
    type = _text("new business, renewal, expansion")
    loss_reason = _text("why it was lost")


class owner_history(Table):
    """Who owned an opportunity from when on: what was won stays with who won it."""

    key = ("opportunity_id", "rep_id", "owned_from")
    opportunity_id = _text("opportunity", references="opportunities", on_unknown="refuse")
    rep_id = _rep("owner from then on")
    owned_from = _timestamp("when")
    previous_rep_id = _rep("owner until then, for who had it before the first row", required=False)


class stage_history(Table):
    """When an opportunity entered each stage."""

    key = ("opportunity_id", "stage", "entered_at")
    opportunity_id = _text("opportunity", references="opportunities", on_unknown="refuse")
    stage = _text("stage entered", references="stages")
    entered_at = _timestamp("when")


class pipeline_snapshots(Table):
    """The open pipeline as it stood on past days."""

    key = ("as_of", "opportunity_id")
    as_of = _date("day of the picture")
    opportunity_id = _text("opportunity", references="opportunities", on_unknown="refuse")
    stage = _text("stage that day", references="stages")
    amount = _number("amount that day, in the opportunity's currency", unit="money")
    expected_close_on = _date("expected close that day")


class leads(Table):
    """Leads from marketing and prospecting."""

    key = ("lead_id",)
    faults = (Fault(mark("touched before created"), "first_touch_at < created_at"),)
    lead_id = _text("identifier")
    rep_id = _rep("who works it", required=False)
    source = _text("lead source")
    campaign = _text("campaign that brought it")
    segment = _text("customer segment, as marketing calls it")
    created_at = _timestamp("when it came in", required=True)
    qualified_at = _timestamp("when accepted as qualified")
    first_touch_at = _timestamp("first human touch")
    converted_opportunity_id = _text("opportunity it became", references="opportunities")
    rejected_reason = _text("why it was rejected: duplicate and invalid leads are not counted")
    rejected_at = _timestamp("when it was rejected; missing means the day is not known")


class touches(Table):
    """Marketing touches: what leads and opportunities have met of marketing, and when."""

    key = ("touch_id",)
    touch_id = _text("identifier")
    lead_id = _text("lead who was touched", references="leads")
    opportunity_id = _text("opportunity it was made on", references="opportunities")
    source = _text("channel, named as the sources of leads and opportunities")
    campaign = _text("campaign it was part of")
    touched_at = _timestamp("when", required=True)


class activities(Table):
    """Calls, meetings and messages."""

    key = ("activity_id",)
    activity_id = _text("identifier")
    rep_id = _rep("who did it")
    kind = _text("what", required=True, vocabulary=("call", "meeting", "email"))
    started_at = _timestamp("when", required=True)
    logged_at = _timestamp("when it was written into the CRM")
    seconds = _number("length", unit="seconds", minimum=0)
    is_connected = _boolean("call answered, meeting held, message answered")
    opportunity_id = _text("opportunity", references="opportunities")
    contact_id = _text("who on the customer's side")


class targets(Table):
    """Quotas and other targets of reps and teams."""

    key = ("owner_kind", "owner_id", "period", "kpi")
    owner_kind = _text("whose", vocabulary=("rep", "team"))
    owner_id = _text("rep_id or team_id")
    period = _text("fiscal quarter, 2026Q3")
    kpi = _text("KPI id, `bookings` for a quota")
    target = _number("full target, before ramp and leave", required=True)
    parent_id = _text("team whose target contains it", references="teams")


class ratings(Table):
    """Skill scores, one row a form and skill."""

    key = ("form_id", "skill")
    form_id = _text("one filled form")
    skill = _text("skill", references="skills")
    rep_id = _rep("who is rated")
    rater_id = _text("who rates", required=True)
    rater_role = _text("manager, peer, self, coach")
    score = _number("score; missing means not observed", minimum=1, maximum=5, unit="score 1-5")
    rated_on = _date("when", required=True)


class feedback(Table):
    """Feedback given to reps."""

    key = ("feedback_id",)
    feedback_id = _text("identifier")
    rep_id = _rep("to whom")
    author_id = _text("by whom")
    given_on = _date("when", required=True)
    kind = _text("praise, correction, question")
    skill = _text("skill it is about", references="skills")
    comment = _text("what was said")


class actions(Table):
    """Actions agreed with reps."""

    key = ("action_id",)
    faults = (Fault(mark("due before agreed"), "due_on < agreed_on"),)
    action_id = _text("identifier")
    rep_id = _rep("who does it")
    agreed_on = _date("when", required=True)
    due_on = _date("until")
    kpi = _text("KPI it should move")
    skill = _text("skill it should move", references="skills")
    target = _number("value to reach")
    status = _text("state", vocabulary=("open", "done", "dropped"))


class trainings(Table):
    """Who was assigned to which course, and how they were chosen."""

    key = ("rep_id", "course_id", "assigned_on")
    faults = (Fault(mark("completed before assigned"), "completed_on < assigned_on"),)
    rep_id = _rep("who")
    course_id = _text("course", references="courses")
    assigned_on = _date("when assigned")
    completed_on = _date("when completed")
    cohort = _text("group trained together")
    selection_rule = _text("how they were chosen: lottery, weakest, volunteers, whole team")
