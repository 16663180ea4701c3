"""How the help reads: verbs in the order they are used, and flags that look like flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup, TyperOption

if TYPE_CHECKING:
    from collections.abc import Iterator

#: From a first look over a day's work to the keeping of it.
ORDER = """
demo serve import pull push
codebook sample alert alerts queue
agreement quarantine spot-check
close golden gate fix export
report estimate
categories priors score relink scrub
project key user db
""".split()


class Menu(TyperGroup):
    """The root of all commands."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for flag in _flags(self):
            flag.metavar = ""  # else it is shown as `--json <bool>`, and `--json true` is refused

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of use; what is new and has no place yet comes last."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def _flags(command: Any) -> Iterator[TyperOption]:
    for option in command.params:
        if isinstance(option, TyperOption) and option.is_flag and option.metavar is None:
            yield option
    for child in getattr(command, "commands", {}).values():
        yield from _flags(child)
