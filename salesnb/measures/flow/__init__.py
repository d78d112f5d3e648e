"""Flow: how opportunities pass the stages and end, counted by team and quarter."""

from salesnb.measures.flow.flow import FLOW_FRAMES as FLOW_FRAMES
from salesnb.measures.flow.flow import Flow as Flow
from salesnb.measures.flow.flow import measure_flow as measure_flow
from salesnb.measures.flow.flow import no_flow as no_flow
from salesnb.measures.flow.practices import CLOSED_WITHOUT_HISTORY as CLOSED_WITHOUT_HISTORY
from salesnb.measures.flow.practices import NO_CREATED_DATE as NO_CREATED_DATE
from salesnb.measures.flow.practices import NO_NEXT_STEP as NO_NEXT_STEP
from salesnb.measures.flow.practices import WON_UNQUALIFIED as WON_UNQUALIFIED
