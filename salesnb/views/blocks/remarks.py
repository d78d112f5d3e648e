"""What to know about data, grouped by where it was found: what, so what, and what to do."""

from dataclasses import dataclass

from salesnb.language import tr
from salesnb.views.blocks.base import Block, anchor_of, text, titled


@dataclass(frozen=True)
class Remark:
    """One thing to know: what it is, what it does, what it touches, and what to do about it."""

    what: str
    effect: str = ""
    touches: tuple[str, ...] = ()
    action: str = ""


@dataclass(frozen=True)
class Remarks(Block):
    """Remarks under the names of the things they are about.

    Parameters
    ----------
    title, caption
        The finding, and what the remarks have in common; an empty caption is left out.
    groups
        Name and remarks, in the order to show them.
    anchor
        The id that headlines link to; made of the title when empty.
    """

    title: str
    caption: str
    groups: tuple[tuple[str, tuple[Remark, ...]], ...]
    anchor: str = ""

    def render_html(self) -> str:
        """Return a titled card around a definition list; it may break across printed pages."""
        anchor = anchor_of(anchor=self.anchor, title=self.title, kind="remarks")
        groups = "".join(
            f"<div><dt>{text(name)}</dt><dd><ul>{''.join(map(_render, remarks))}</ul></dd></div>"
            for name, remarks in self.groups
        )
        return (
            f'<div class="tbl long remarks" id="{anchor}">{titled(self.title, self.caption)}'
            f'<dl class="defs">{groups}</dl></div>'
        )

    def render_text(self) -> str:
        """Return the title and a line a remark."""
        lines = [
            " ".join(
                part for part in (f"{name}:", remark.what, remark.effect, *_ends(remark)) if part
            )
            for name, remarks in self.groups
            for remark in remarks
        ]
        return "\n".join([self.title, *lines])


def _render(remark: Remark) -> str:
    ends = "".join(f"<small>{text(end)}</small>" for end in _ends(remark))
    effect = f" {text(remark.effect)}" if remark.effect else ""
    return f"<li><b>{text(remark.what)}</b>{effect}{ends}</li>"


def _ends(remark: Remark) -> tuple[str, ...]:
    """Say what a remark touches and what to do, each where there is something to say."""
    names = ", ".join(remark.touches)
    touches = tr("Touches: {names}.", names=names) if names else ""
    action = tr("To do: {action}", action=remark.action) if remark.action else ""
    return tuple(end for end in (touches, action) if end)
