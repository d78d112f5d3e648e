"""Texts that attack who reads them, and the sample company with them in every text of its CRM."""

import csv
import shutil

from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company

QUARTER = "2026Q3"
ELSEWHERE = "https://evil.example"
RUN = "window.executed=(window.executed||0)+1"
ATTACKS = (
    f"<script>{RUN}</script>",
    f"</style></title></textarea></script><script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f'<img src="{ELSEWHERE}/pixel.png">',
    f'"><svg onload={RUN}>',
    f"' onmouseover='{RUN}' x='",
    f'" onfocus="{RUN}" autofocus tabindex="0',
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f'<svg><set attributeName="href" to="javascript:{RUN}"/><a><text>x</text></a></svg>',
    f'<svg><foreignObject><iframe srcdoc="<script>parent.{RUN}</script>"></iframe></svg>',
    f'<svg><use href="{ELSEWHERE}/x.svg#x"/><image href="{ELSEWHERE}/y.png"/></svg>',
    f'<a href="javascript:{RUN}">click</a>',
    f"[click](javascript:{RUN})",
    f"![picture]({ELSEWHERE}/md.png)",
    f"<details open ontoggle={RUN}>",
    f'<iframe src="{ELSEWHERE}"></iframe><object data="{ELSEWHERE}/o"></object>',
    f'<meta http-equiv="refresh" content="0;url={ELSEWHERE}">',
    f'<link rel=stylesheet href="{ELSEWHERE}/a.css"><base href="{ELSEWHERE}/">',
    f"<style>*{{background:url({ELSEWHERE}/css.png)}}</style>",
    f"x;background:url({ELSEWHERE}/style.png)",
    f"}}</style><script>{RUN}</script>",
    f'<math><mtext><table><mglyph><style><img src=x onerror="{RUN}"></style></mglyph></table>',
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    f"<form action={ELSEWHERE}><input onfocus={RUN} autofocus></form>",
    "{{ 7*7 }}{% for x in ().__class__.__mro__ %}{{ x }}{% endfor %}",
    "${7*7} #{7*7} <%= 7*7 %> {{constructor.constructor('x')()}}",
    "\u202egnirts desrever\u202c \u2066isolate\u2069 \u200bzero",
    '=HYPERLINK("https://evil.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "$\\href{javascript:x}{y}$ $$\\unicode{x}$$",
    "<!--[if IE]><script>x</script><![endif]--><!-- ",
    "]]><script>window.executed=1</script>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"＜script＞{RUN}＜/script＞",
)
COLUMNS = {
    "reps": ("name", "role"),
    "accounts": ("name", "industry", "country"),
    "leads": ("campaign", "segment", "rejected_reason"),
    "feedback": ("comment",),
    "opportunities": ("loss_reason", "type"),
    "courses": ("name",),
    "trainings": ("selection_rule",),
    "products": ("name",),
}
"""Texts that are attacked; keys stay, so that rows still find one another."""

_TEAMS = {"adria": "north", "britain": "north", "gallia": "iberia", "pacific": "lakes"}


def hostile_snapshot(home, *, attacks=ATTACKS, reps=24):
    """Import the sample company, its texts followed by attacks in turn.

    Three teams are of five people and more, one (Rhine) is of three. Same words get the same
    attack, so that groups stay groups.
    """
    export = sample_company(home / "export", reps=reps)
    shutil.rmtree(export / "truth")
    for number, (table, columns) in enumerate(COLUMNS.items()):
        turned = attacks[5 * number :] + attacks[: 5 * number]
        _change(export / f"{table}.csv", {name: _followed(turned) for name in columns})
    _change(export / "memberships.csv", {"team_id": lambda team: _TEAMS.get(team, team)})
    _change(export / "teams.csv", {"name": lambda name: f"{name}{attacks[0]}" if attacks else name})
    return import_snapshot(export, to=home / "snapshot")


def _followed(attacks):
    """Return a function that puts an attack after a text, the same after the same."""
    seen = {}

    def change(text):
        if not text or not attacks:
            return text
        return f"{text} {attacks[seen.setdefault(text, len(seen)) % len(attacks)]}"

    return change


def _change(path, columns):
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row |= {name: change(row[name]) for name, change in columns.items()}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
