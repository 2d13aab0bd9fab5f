"""The custodian's service: it looks for seats that wait for this member, compares their keys, and answers.

Law: a seat is answered by what the chain proves; where keys cannot be compared here, nothing is answered, and the
next look tries again. What was answered is on the chain, so a service that is started again continues. Nothing is
released unless that is asked for, and then for requests alone that are proven to be approved.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli.shared import Commands, JsonOption, SenderOption, reaching, visible
from coseal.errors import EXIT_UNKNOWN, CosealError

if TYPE_CHECKING:
    from coseal.client.blocking import Client
    from coseal.client.custodian import Answer
    from coseal.client.openings import Openings
    from coseal.client.transactions import Committed
    from coseal.network.access import Access
    from coseal.sealing.secrets import Secrets

_ANSWERED_IN: Final = ("dealt", "armed")
"""The statuses of a vault in which a seat answers."""
_RELEASED_IN: Final = ("approved", "released")
"""The statuses of a request in which seats release."""

custodian_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Hold seats at the vaults of other members.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    custodian_app.callback()(lambda: None)  # a group, also with one command
    custodian_app.command("run")(run)
    app.add_typer(custodian_app, name="custodian")


def secrets_of(access: Access, client: Client) -> Secrets:
    """Return the secrets beside the key of the operator that a client signs as."""
    from coseal.sealing.secrets import beside

    return beside(access.key_path(str(client.sender)))


@reaching
def run(
    access: Access,
    sender: SenderOption,
    once: Annotated[bool, typer.Option("--once", help="Answer what waits now, and end.")] = False,
    every: Annotated[float, typer.Option("--every", min=0.2, metavar="SECONDS", help="How often to look.")] = 5.0,
    release: Annotated[
        bool, typer.Option("--release", help="Also release for each request that others approved, asking nobody.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Accept the seats of a member whose keys are those committed to on the chain; refuse the others with the reason.

    Keys of accepted seats are kept beside the operator's key. The service ends with Ctrl-C or SIGTERM; start it again
    at any time. With --once the exit code is 2 if something could not be answered. With --release it also releases the
    parts of its seats for every approved request: those who approve decide then, not the custodian. An emergency
    request, which nobody approved, is left to a person (`coseal disclosure release`).

    Examples:

      coseal disclosure custodian run --as regulator

      coseal disclosure custodian run --as regulator --once --json

      coseal disclosure custodian run --as regulator --release
    """
    stop = threading.Event()
    if not once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        typer.echo(f"custodian {sender}: watching for seats, every {every:g} s", err=as_json)
    said: set[str] = set()
    while True:
        failed = False
        for line, fine, document in _look(access, sender, release=release):
            failed = failed or not fine
            if fine or line not in said:  # what fails again and again is said once
                _say(line, document, fine=fine, as_json=as_json)
            said = said if fine else {*said, line}
        if once:
            raise typer.Exit(EXIT_UNKNOWN if failed else 0)
        if stop.wait(every):
            return


def _look(access: Access, sender: str, *, release: bool) -> Iterator[tuple[str, bool, dict[str, Any]]]:
    """Answer what waits; yield a line each, whether it was answered, and the same as a document."""
    from coseal.contracts.disclosure.state import vault_key

    try:
        with access.client(sender) as client:
            vaults = client.vaults(secrets_of(access, client))
            for row in list(client.pages("/v1/disclosure/seats", "seats", member=client.member, status="dealt")):
                owner, vault = str(row["owner"]), str(row["vault"])
                record = client.value(vault_key(owner, vault))
                if record is None or record["status"] not in _ANSWERED_IN:
                    continue  # refused or closed meanwhile: nobody waits for the seat
                try:
                    found = vaults.accept_seat(owner, vault)
                except CosealError as error:
                    yield f"{owner}/{vault}: not answered: {error}", False, {"owner": owner, "vault": vault}
                else:
                    yield _line(found), True, _document(found)
            if release:
                yield from _release(client, client.openings(vaults.secrets))
    except CosealError as error:
        yield f"cannot look: {error}", False, {}


def _release(client: Client, openings: Openings[Committed]) -> Iterator[tuple[str, bool, dict[str, Any]]]:
    """Release for each request that others approved and that waits for a seat of this member; yield as ``_look``."""
    waiting = [
        row
        for status in _RELEASED_IN
        for row in client.pages("/v1/disclosure/requests", "requests", status=status)
        if _waits(client, str(row["requester"]), str(row["request"]))
    ]
    for row in waiting:
        by, name = str(row["requester"]), str(row["request"])
        try:
            data = openings.release(by, name).require_ok().data
        except CosealError as error:
            yield f"{by}/{name}: not released: {error}", False, {"by": by, "request": name}
        else:
            line = f"{by}/{name}: released by seat {data['seat']} of {data['owner']}/{data['vault']}"
            document = {"by": by, "request": name, "seat": data["seat"], "status": data["status"]}
            yield f"{line}; the request is {data['status']}", True, {**document, "answer": "released"}


def _waits(client: Client, by: str, name: str) -> bool:
    """Say whether a request that others approved waits for a seat that this member has not answered for."""
    from coseal.contracts.disclosure.state import request_key, review_key, vault_key

    request: Any = client.value(request_key(by, name))
    if by == client.member or request is None or request["status"] not in _RELEASED_IN:
        return False
    if client.value(review_key(by, name)) is not None:
        return False  # an emergency, which nobody approved: a person releases
    vault: Any = client.value(vault_key(request["owner"], request["vault"]))
    seats = [] if vault is None else vault["seats"]
    answered = {*request["declined"], *(seat for seat, _, _ in request["released"])}
    return any([client.member, "accepted"] == list(held) for at, held in enumerate(seats) if at not in answered)


def _line(found: Answer) -> str:
    answer = f"refused: {found.refused}" if found.refused else "accepted, every key compared"
    where = f"{found.owner}/{found.vault}, seat {found.seat}"
    return f"{where}: {answer}; the vault is {found.status}, block {found.committed.height}"


def _document(found: Answer) -> dict[str, Any]:
    answer = {"answer": "refused", "reason": found.refused} if found.refused else {"answer": "accepted"}
    named = {"owner": found.owner, "vault": found.vault, "seat": found.seat, "status": found.status}
    return {**named, **answer, "height": found.committed.height}


def _say(line: str, document: dict[str, Any], *, fine: bool, as_json: bool) -> None:
    if not as_json:
        typer.echo(visible(line), err=not fine)
        return
    from coseal.ledger.strict_json import json_line

    typer.echo(json_line(document if fine else {**document, "error": line}))
