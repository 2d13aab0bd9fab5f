"""Groups of commands of a contract: those written by hand, its lists, and behind them one for each of its actions.

Law: what is written by hand comes first; an action that it names is not made of the action's fields as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coseal.cli.shared import Commands


def beside(contract: str, lists: Mapping[str, str], actions: Mapping[str, str] | None = None) -> type[Commands]:
    """Return the class of a group with commands of its own.

    ``lists`` are names of commands with the lists that they give (``coseal list``), ``actions`` the generated
    commands of the contract that are commands of the group too, each by its name there; None for all of them.
    """

    class Group(Commands):
        def list_commands(self, ctx: Any) -> list[str]:
            """Return the names of all commands."""
            own = [*lists, *super().list_commands(ctx)]
            return [*own, *(name for name in self._named(ctx) if name not in own)]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            """Return a command by its name."""
            if cmd_name in lists:
                from coseal.cli.lists import Lists

                listed = Lists(name="list").get_command(ctx, lists[cmd_name])
                listed.name = cmd_name
                return listed
            found = super().get_command(ctx, cmd_name)
            if found is None and cmd_name in self._named(ctx):
                found = self._verbs().get_command(ctx, self._named(ctx)[cmd_name])
                found.name = cmd_name
            return found

        def _named(self, ctx: Any) -> dict[str, str]:
            """Return the actions that are commands, by the names of these."""
            if actions is None:
                return {name: name for name in self._verbs().list_commands(ctx)}
            return dict(actions)

        @staticmethod
        def _verbs() -> Any:
            from coseal.cli import verbs

            return verbs.group(contract)

    return Group
