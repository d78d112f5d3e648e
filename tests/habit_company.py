"""A company of two people whose habits can be counted by hand."""

COMPANY = "as_of: 2026-08-15\nconnected_call_seconds: 60\n"
REPS = "rep_id,name\nr1,Ana\nr2,Ben\n"
TEAMS = "team_id,name\nt1,North\nt2,South\n"
MEMBERSHIPS = """rep_id,team_id,valid_from,valid_to
r1,t1,,2026-05-01
r1,t2,2026-05-01,
r2,t1,,
"""
OPPORTUNITIES = """opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount,stage
o1,r1,2026-01-05,2026-03-31,true,true,100,Won
o2,r1,2026-01-06,2026-03-31,true,true,50,Won
o3,r1,2026-01-06,2026-03-31,true,true,50,Won
o4,r2,2026-01-07,2026-02-10,true,true,200,Won
o5,r2,2026-01-07,,false,false,200,Open
o6,r2,2026-01-07,2026-03-31,false,true,200,Lost
o7,r2,2026-01-07,2026-08-01,true,true,200,Won
"""
STAGES = (
    "stage,stage_order,is_won,is_lost\nOpen,1,false,false\nWon,2,true,false\nLost,3,false,true\n"
)
HISTORY = """opportunity_id,stage,entered_at
o1,Won,2026-04-02 09:00:00
o1,Open,2026-01-05 09:00:00
o2,Won,2026-04-01 23:00:00
o3,Won,2026-03-31 09:00:00
o3,Won,2026-06-01 09:00:00
o4,Won,2026-03-20 09:00:00
o6,Lost,2026-04-09 09:00:00
o7,Open,2026-01-07 09:00:00
"""
PICTURES = """as_of,opportunity_id,expected_close_on
2026-02-28,o5,2026-03-15
2026-02-28,o1,2026-03-31
2026-02-28,o7,2026-02-20
2026-02-28,o2,2026-04-01
2026-03-31,o5,2026-04-30
2026-03-31,o1,2026-03-31
2026-04-30,o5,2026-06-30
2026-06-30,o5,2026-06-30
2026-07-31,o5,2026-09-30
"""
ACTIVITIES = """activity_id,rep_id,kind,started_at,logged_at,seconds,is_connected
a1,r1,call,2026-04-10 09:00:00,2026-04-10 09:05:00,60,true
a2,r1,call,2026-04-10 09:00:00,2026-04-13 23:00:00,74.9,
a3,r1,call,2026-05-10 09:00:00,2026-05-14 00:00:00,75,true
a4,r1,call,2026-05-10 09:00:00,,45,true
a5,r1,call,2026-05-10 09:00:00,2026-05-20 09:00:00,44.9,true
a6,r1,call,2026-05-10 09:00:00,2026-05-20 09:00:00,61,false
a7,r1,meeting,2026-05-10 09:00:00,2026-05-20 09:00:00,60,true
a8,r1,email,2026-05-10 09:00:00,2026-05-20 09:00:00,60,true
a9,r2,call,2026-08-14 09:00:00,2026-08-20 09:00:00,59,true
a10,r2,call,2026-08-16 09:00:00,2026-08-16 09:05:00,59,true
a11,,call,2026-04-10 09:00:00,2026-04-10 09:05:00,65,true
"""
TABLES = {
    "reps": REPS, "teams": TEAMS, "memberships": MEMBERSHIPS, "opportunities": OPPORTUNITIES,
    "stages": STAGES, "stage_history": HISTORY, "pipeline_snapshots": PICTURES,
    "activities": ACTIVITIES,
}  # fmt: skip
