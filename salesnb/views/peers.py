"""Who is compared with whom, group by group."""

from __future__ import annotations

from salesnb.analysis.peers import PeerGroups
from salesnb.language import format_number, tr
from salesnb.views.blocks import Block, Note, Table


def peers_table(found: PeerGroups) -> Block:
    """List the peer groups with who is in each; a note where there is nobody."""
    if found.members.empty:
        return Note(found.finding, "missing")
    groups = found.members.sort_values("name").groupby("group")["name"]
    rows = tuple((str(name), format_number(len(names)), ", ".join(names)) for name, names in groups)
    return Table(
        title=found.finding,
        caption=tr("Role, tenure and region at the end of {quarter}", quarter=found.period),
        header=(tr("Peers"), tr("People"), tr("Who")),
        rows=rows,
        numeric=frozenset({1}),
        key=(found.caveat,),
    )
