"""The sales process: when opportunities are won, how they pass the stages, where they are lost."""

from salesnb.analysis.process.bottlenecks import BOTTLENECKS_ANCHOR as BOTTLENECKS_ANCHOR
from salesnb.analysis.process.bottlenecks import Bottlenecks as Bottlenecks
from salesnb.analysis.process.bottlenecks import bottlenecks as bottlenecks
from salesnb.analysis.process.compare import COMPARISON_ANCHOR as COMPARISON_ANCHOR
from salesnb.analysis.process.compare import ProcessComparison as ProcessComparison
from salesnb.analysis.process.compare import compare_process as compare_process
from salesnb.analysis.process.compliance import COMPLIANCE_ANCHOR as COMPLIANCE_ANCHOR
from salesnb.analysis.process.compliance import Compliance as Compliance
from salesnb.analysis.process.compliance import process_compliance as process_compliance
from salesnb.analysis.process.flow import STAGE_FLOW_ANCHOR as STAGE_FLOW_ANCHOR
from salesnb.analysis.process.flow import StageFlow as StageFlow
from salesnb.analysis.process.flow import stage_flow as stage_flow
from salesnb.analysis.process.teams import TEAM_BOTTLENECKS_ANCHOR as TEAM_BOTTLENECKS_ANCHOR
from salesnb.analysis.process.teams import TeamBottlenecks as TeamBottlenecks
from salesnb.analysis.process.teams import team_bottlenecks as team_bottlenecks
from salesnb.analysis.process.timing import WIN_TIMING_ANCHOR as WIN_TIMING_ANCHOR
from salesnb.analysis.process.timing import WinTiming as WinTiming
from salesnb.analysis.process.timing import win_timing as win_timing
