"""Columns that `facts` and its neighbours add to the tables of the schema."""

from __future__ import annotations

DAY = "day"

# Opportunities
IS_WON = "is_won_by_as_of"
IS_LOST = "is_lost_by_as_of"
IS_UNDECIDED = "is_lost_without_decision"
WON_IN_TIME = "is_won_in_time"
AMOUNT = "amount_converted"
LIST_AMOUNT = "list_amount_converted"
CYCLE = "days_to_close"

# Leads
IS_VALID = "is_valid_lead"
LEAD_QUALIFIED = "became_qualified"
LEAD_CONVERTED = "became_opportunity"
LEAD_WON = "became_won"
IS_TOUCHED = "is_touched"
MINUTES = "minutes_to_touch"
WAITED = "minutes_waited"
IS_IN_TIME = "is_touched_in_time"
IS_TIME_UP = "is_time_to_touch_over"

# Activities and accounts
IS_CALL = "is_connected_call"
IS_MEETING = "is_held_meeting"
IS_REACHED = "is_reached_account"

# People
WORKING_DAYS = "working_days"
ACTIVE_SHARE = "active_share"
QUOTA = "prorated_quota"
EXPECTED = "bookings_expected"
IS_ATTAINED = "is_quota_attained"
IS_RAMPED = "is_ramped_with_quota"
RAMP_DAYS = "days_to_full_quota"
HAS_RAMPED = "has_reached_full_quota"
GAP = "weighted_skill_gap"
WEIGHT = "skill_weight"

# Pipeline
DUE = "open_amount_due"
BOOKED = "booked_before"
SLIPPED = "amount_moved_out"
FORECAST = "amount_expected"
ACTUAL = "amount_won_then"
IS_QUALIFIED = "is_open_and_qualified"
IS_STALLED = "is_open_and_stalled"
IS_FIRST = "is_first_entry"
MOVED_ON = "has_moved_on"
IN_STAGE = "days_in_stage"
HAS_LEFT = "has_left_stage"

# Spend
SPEND = "spend_allocated"
BOUGHT = "opportunities_of_paid_sources"
