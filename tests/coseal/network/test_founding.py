"""A founding ceremony: everyone makes its own keys, all make one genesis, and what is false is refused by name."""

import json
import shutil
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coseal.client import keys
from coseal.demo.examples import example
from coseal.errors import BadAnswer, CosealError
from coseal.ledger.genesis import Genesis, Parameters, Sources
from coseal.network import ceremony, folders, founding

MEMBERS = ("authority", "central-bank", "trade-bank", "shipping")
FOUNDERS = """
name = "harbour"
validators = ["authority", "central-bank", "trade-bank", "shipping"]
[[members]]
id = "authority"
name = "Harbour authority"
role = "government"
level = "municipal"
[[members.users]]
user = "clerk"
capabilities = ["submit", "registrar"]
[[members.users]]
user = "inspector"
[[members]]
id = "central-bank"
role = "bank"
central_bank = true
[[members]]
id = "trade-bank"
role = "bank"
[[members]]
id = "shipping"
role = "enterprise"
[[members]]
id = "citizens"
role = "public"
[parameters]
tenure = 8
"""


def addresses(member: str) -> dict[str, str]:
    return {member: f"{member}.example:8601"} if member in MEMBERS else {}


def begin(folder: Path, text: str = FOUNDERS) -> Path:
    """Make a ceremony to which every member has contributed; return its public folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "founders.toml").write_text(text)
    founding.init(folder / "public", folder / "founders.toml")
    for member in (*MEMBERS, "citizens"):
        founding.join(folder / "public", member, folder / member, addresses(member))
    return folder / "public"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished ceremony in ``public`` and each member's own folder beside it."""
    public = begin(tmp_path_factory.mktemp("ceremony"))
    founding.finish(public)
    return public.parent


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the public folder, to be tampered with."""
    return Path(shutil.copytree(finished / "public", tmp_path / "copy"))


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def test_the_genesis_holds_every_members_keys_and_what_was_planned(finished: Path) -> None:
    genesis = Genesis.decode((finished / "public" / "genesis.json").read_bytes())
    assert genesis.name == "harbour"
    assert genesis.parameters == Parameters(tenure=8)
    assert [member.id for member in genesis.members] == [*MEMBERS, "citizens"]
    assert [operator.user for operator in genesis.members[0].operators] == ["clerk", "inspector"]
    for member in genesis.members:
        for operator in member.operators:
            path = finished / member.id / "members" / member.id / f"{operator.user}.pem"
            assert keys.read_signer(path).public_key == operator.key
    for node in genesis.nodes:
        folder = finished / node.member / "nodes" / node.id / "keys"
        assert keys.read_signer(folder / "consensus.pem").public_key == node.consensus_key
        assert keys.certificate_der(folder / "link.crt") == node.link_certificate


def test_no_private_key_is_in_the_public_folder_and_no_folder_has_anothers(finished: Path) -> None:
    seeds = {path: keys.read_seed(path) for path in finished.rglob("*.pem")}
    assert len(seeds) == 6 + 4 * 3
    public = b"".join(path.read_bytes() for path in (finished / "public").rglob("*") if path.is_file())
    assert not [path for path, seed in seeds.items() if seed in public or seed.hex().encode() in public]
    assert all(path.relative_to(finished).parts[0] == path.relative_to(finished).parts[2] for path in seeds)
    assert all(stat.S_IMODE((finished / member).stat().st_mode) == 0o700 for member in MEMBERS)


def test_anyone_makes_the_same_genesis_in_any_order(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "public", tmp_path / "mine", ignore=shutil.ignore_patterns("genesis.json"))
    founding.finish(tmp_path / "mine")
    assert (tmp_path / "mine" / "genesis.json").read_bytes() == (finished / "public" / "genesis.json").read_bytes()


def test_a_member_that_confirms_has_a_node_that_can_start(finished: Path, copy: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(finished / "shipping", tmp_path / "own"))
    standing = founding.confirm(copy, own, http_port=9000)
    assert standing.confirmed == ("shipping",)
    assert not standing.complete
    made = folders.load(own)
    assert [(node.name, node.http, node.kind) for node in made.nodes] == [("shipping", "127.0.0.1:9000", "validator")]
    assert made.genesis().chain_id.hex() == made.chain_id
    config = tomllib.loads((own / "nodes" / "shipping" / "node.toml").read_text())
    assert config["link_listen"] == "0.0.0.0:8601"
    assert config["peers"] == {name: f"{name}.example:8601" for name in MEMBERS[:3]}
    journal = own / "nodes" / "shipping" / "journal" / "journal.log"
    before = journal.stat().st_ino
    assert founding.confirm(copy, own).confirmed == ("shipping",)
    assert journal.stat().st_ino == before


@pytest.fixture
def without_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no node software, which takes seconds: the cluster's test sees whole folders."""
    monkeypatch.setattr(folders, "make_journals", lambda folders: None)


@pytest.mark.usefixtures("without_journals")
def test_the_ceremony_is_complete_when_all_have_confirmed(finished: Path, copy: Path, tmp_path: Path) -> None:
    for member in (*MEMBERS, "citizens"):
        standing = founding.confirm(copy, Path(shutil.copytree(finished / member, tmp_path / member)))
        founding.require_same(tmp_path / member, standing)
    assert founding.look(copy).complete
    assert not (tmp_path / "citizens" / "network.toml").exists()


def test_joining_again_keeps_the_keys_and_follows_a_new_address(tmp_path: Path) -> None:
    public = begin(tmp_path)
    first = founding.look(public).contributions["shipping"]
    founding.join(public, "shipping", tmp_path / "shipping", addresses("shipping"))
    assert founding.look(public).contributions["shipping"] == first
    founding.join(public, "shipping", tmp_path / "shipping", {"shipping": "[2001:db8::1]:8601"})
    moved = founding.look(public).contributions["shipping"]
    assert moved.nodes[0].address == "[2001:db8::1]:8601"
    assert moved.nodes[0].consensus_key == first.nodes[0].consensus_key


# Tampering, refused by name

TAMPERED: dict[str, tuple[str, Callable[[dict[str, Any]], object], str]] = {
    "a user's key": (
        "contributions/shipping.json",
        lambda d: d["operators"][0].update(key=keys.public_key(bytes(32)).hex()),
        r"shipping\.json: key of shipping/admin: no proof",
    ),
    "a consensus key": (
        "contributions/trade-bank.json",
        lambda d: d["nodes"][0].update(consensus_key=keys.public_key(bytes(32)).hex()),
        r"trade-bank\.json: consensus key of trade-bank: no proof|key of trade-bank/admin: the signature",
    ),
    "an address": (
        "contributions/shipping.json",
        lambda d: d["nodes"][0].update(address="evil.example:8601"),
        r"shipping\.json: key of shipping/admin: the signature does not verify",
    ),
    "a certificate": (
        "contributions/shipping.json",
        lambda d: d["nodes"][0].update(link_certificate="3000"),
        r"shipping\.json: link certificate of shipping: not a self-signed certificate",
    ),
    "another node's certificate": (
        "contributions/shipping.json",
        lambda d: d["nodes"][0].update(link_certificate=keys.link_certificate(bytes(32), "authority")[1].hex()),
        r"link certificate of shipping: .*not named shipping",
    ),
    "a proof too many": (
        "contributions/shipping.json",
        lambda d: d["proofs"].update({keys.public_key(bytes(32)).hex(): "00" * 64}),
        r"shipping\.json: proofs: .* is no key of this contribution",
    ),
    "a user too few": (
        "contributions/authority.json",
        lambda d: d["operators"].pop(),
        r"authority\.json: users clerk; the plan has clerk, inspector",
    ),
    "an unknown field": (
        "contributions/shipping.json",
        lambda d: d.update(note="trust me"),
        r"shipping\.json: .*note: unknown field",
    ),
    "a changed plan": (
        "plan.json",
        lambda d: d["consortium"]["parameters"].update(tenure=9),
        r"authority\.json: made for another plan",
    ),
    "a plan without a member": (
        "plan.json",
        lambda d: d["consortium"]["members"].pop(),
        r"authority\.json: made for another plan",
    ),
    "a plan that makes no genesis": (
        "plan.json",
        lambda d: d["consortium"]["parameters"].update(tenure=0),
        r"plan\.json: parameters\.tenure",
    ),
    "a genesis with another parameter": (
        "genesis.json",
        lambda d: d["parameters"].update(public_read=False),
        r"genesis\.json: it is not what plan and contributions make: parameters is another one",
    ),
    "a genesis with another key": (
        "genesis.json",
        lambda d: d["nodes"][3].update(consensus_key=keys.public_key(bytes(32)).hex()),
        r"genesis\.json: .*node shipping is another one",
    ),
    "a genesis without a member": (
        "genesis.json",
        lambda d: d["members"].pop(),
        r"genesis\.json: .*member citizens is missing",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_tampered_with_is_refused_by_name(copy: Path, name: str) -> None:
    file, change, reason = TAMPERED[name]
    edit(copy / file, change)
    with pytest.raises(BadAnswer, match=reason):
        founding.look(copy)


def test_a_file_in_another_spelling_or_under_another_name_is_refused(copy: Path) -> None:
    path = copy / "contributions" / "shipping.json"
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"\n", b"\r\n"))
    with pytest.raises(BadAnswer, match="not as coseal writes it"):
        founding.look(copy)
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(BadAnswer, match=r"shipping\.json: "):
        founding.look(copy)
    path.write_bytes((copy / "contributions" / "authority.json").read_bytes())
    with pytest.raises(BadAnswer, match=r"shipping\.json: it is of authority"):
        founding.look(copy)


def test_a_member_whose_contribution_was_replaced_by_a_valid_one_does_not_confirm(
    finished: Path, copy: Path, tmp_path: Path
) -> None:
    """The coordinator can make a whole genesis without a member, but not have it confirmed by that member."""
    (copy / "genesis.json").unlink()
    founding.join(copy, "shipping", tmp_path / "impostor", addresses("shipping"))
    founding.finish(copy)
    with pytest.raises(BadAnswer, match="does not hold what shipping contributed: key of shipping/admin is"):
        founding.confirm(copy, finished / "shipping")
    assert not (finished / "shipping" / "genesis.json").exists()


def test_a_contribution_replaced_after_the_genesis_was_made_is_noticed(copy: Path, tmp_path: Path) -> None:
    founding.join(copy, "shipping", tmp_path / "impostor", addresses("shipping"))
    with pytest.raises(BadAnswer, match=r"genesis\.json: it is not what plan and contributions make: member shipping"):
        founding.look(copy)


def test_a_key_of_two_members_is_refused(copy: Path, tmp_path: Path, finished: Path) -> None:
    (copy / "genesis.json").unlink()
    thief = tmp_path / "thief"
    shutil.copytree(finished / "trade-bank" / "nodes" / "trade-bank", thief / "nodes" / "shipping")
    (thief / "nodes" / "shipping" / "keys" / "link.pem").unlink()
    seed = keys.new_seed()
    keys.write_key(thief / "nodes" / "shipping" / "keys" / "link.pem", seed)
    (thief / "nodes" / "shipping" / "keys" / "link.crt").write_bytes(keys.link_certificate(seed, "shipping")[0])
    founding.join(copy, "shipping", thief, addresses("shipping"))
    with pytest.raises(BadAnswer, match="consensus key of trade-bank and consensus key of shipping are the same"):
        founding.finish(copy)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(signature="00" * 64), "confirmation of shipping/admin: the signature does not verify"),
        (lambda d: d.update(member="trade-bank"), "confirmation of trade-bank/admin: the signature does not verify"),
        (lambda d: d.update(chain_id="ab" * 32), "for another genesis"),
    ],
)
def test_a_forged_confirmation_is_refused(
    finished: Path, copy: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    genesis = Genesis.decode((copy / "genesis.json").read_bytes())
    signer = keys.read_signer(finished / "shipping" / "members" / "shipping" / "admin.pem")
    path = copy / "confirmations" / "shipping.json"
    path.parent.mkdir()
    path.write_bytes(ceremony.make_confirmation(genesis, "shipping", signer))
    assert founding.look(copy).confirmed == ("shipping",)
    edit(path, change)
    with pytest.raises(BadAnswer, match=rf"shipping\.json: {reason}"):
        founding.look(copy)


@pytest.mark.usefixtures("without_journals")
def test_two_geneses_are_not_confirmed_by_one_member(finished: Path, copy: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(finished / "shipping", tmp_path / "own"))
    founding.confirm(copy, own)
    (copy / "genesis.json").unlink()
    shutil.rmtree(copy / "confirmations")
    founding.join(copy, "trade-bank", tmp_path / "other", addresses("trade-bank"))
    founding.finish(copy)
    with pytest.raises(BadAnswer, match="confirmed another genesis before: member trade-bank is another one"):
        founding.confirm(copy, own)
    with pytest.raises(BadAnswer, match="member trade-bank is another one"):
        founding.require_same(own, founding.look(copy))


def test_keys_that_were_exchanged_in_the_members_own_folder_are_noticed(
    finished: Path, copy: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(finished / "shipping", tmp_path / "own"))
    path = own / "nodes" / "shipping" / "keys" / "consensus.pem"
    path.unlink()
    keys.write_key(path, keys.new_seed())
    with pytest.raises(BadAnswer, match=r"consensus\.pem is not the key that was contributed"):
        founding.confirm(copy, own)


def test_usage_errors_say_what_to_do(finished: Path, copy: Path, tmp_path: Path) -> None:
    with pytest.raises(CosealError, match=r"holds no plan\.json"):
        founding.look(tmp_path)
    with pytest.raises(CosealError, match="exists"):
        founding.init(copy, finished / "founders.toml")
    with pytest.raises(CosealError, match="nobody is not a member"):
        founding.join(copy, "nobody", tmp_path / "own", {})
    with pytest.raises(CosealError, match="nodes of shipping are: shipping; addresses were given for: none"):
        founding.join(copy, "shipping", tmp_path / "own", {})
    with pytest.raises(CosealError, match="expected HOST:PORT"):
        founding.join(copy, "shipping", tmp_path / "own", {"shipping": "example.org"})
    with pytest.raises(CosealError, match="is the folder of authority"):
        founding.join(copy, "shipping", finished / "authority", addresses("shipping"))
    with pytest.raises(CosealError, match="was not made by `coseal genesis join`"):
        founding.confirm(copy, tmp_path / "nothing")
    (copy / "contributions" / "shipping.json").unlink()
    (copy / "genesis.json").unlink()
    with pytest.raises(CosealError, match="no contribution of shipping yet"):
        founding.finish(copy)


@pytest.mark.parametrize(
    "text", ["host", "host:", ":1", "host:0", "host:65536", "host:1\n", "a b:1", "[::1:1", "::1:1", "host:１"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ceremony.Malformed, match="address"):
        ceremony.address(text, "address")


@pytest.mark.usefixtures("without_journals")
def test_the_plan_names_contracts_and_a_member_whose_node_lacks_one_does_not_confirm(tmp_path: Path) -> None:
    """Who lacks it makes keys and sees the genesis, and is told what to install before a node is made ready."""
    plans, sha256 = tmp_path / "plans", "ab" * 32
    table = f'[[contracts]]\nname = "pledges"\nversion = 1\nsha256 = "{sha256}"\n'
    public = begin(plans, FOUNDERS.replace("[[members]]", f"{table}[[members]]", 1))
    standing = founding.finish(public)
    assert standing.plan.consortium.contracts == (Sources("pledges", 1, sha256),)
    assert standing.genesis is not None
    assert standing.genesis.contracts == standing.plan.consortium.contracts
    member = standing.plan.seats()[0].member.id
    with pytest.raises(CosealError, match=r"admits contract pledges version 1 .* not installed here"):
        founding.confirm(public, plans / member)


def test_the_plan_holds_the_constitution_and_so_does_the_genesis(tmp_path: Path) -> None:
    document = json.loads(example("constitution/consent.json").read_text())
    (tmp_path / "founders.toml").write_text(FOUNDERS)
    plan = founding.init(tmp_path / "public", tmp_path / "founders.toml", constitution=document)
    assert plan.consortium.constitution == document
    assert ceremony.decode_plan((tmp_path / "public" / "plan.json").read_bytes()) == plan
    for member in (*MEMBERS, "citizens"):
        founding.join(tmp_path / "public", member, tmp_path / member, addresses(member))
    standing = founding.finish(tmp_path / "public")
    assert standing.genesis is not None
    assert standing.genesis.constitution == document
    other = json.loads(standing.genesis.raw)
    other["constitution"]["title"] = "Another"
    assert ceremony.difference(json.dumps(other).encode(), standing.genesis) == "constitution is another one"


def test_a_constitution_that_one_role_could_use_alone_makes_no_plan(tmp_path: Path) -> None:
    document = json.loads(example("constitution/recommended.json").read_text())
    document["tracks"]["rules"]["pass"] = {"total": [1, 5]}
    (tmp_path / "founders.toml").write_text(FOUNDERS)
    with pytest.raises(CosealError, match="constitution: K2, track rules: bank says yes, nobody else votes"):
        founding.init(tmp_path / "public", tmp_path / "founders.toml", constitution=document)
    assert not (tmp_path / "public").exists()


def test_a_consortium_file_holds_no_constitution(tmp_path: Path) -> None:
    (tmp_path / "founders.toml").write_text('constitution = "mine"\n' + FOUNDERS)
    with pytest.raises(CosealError, match="a document of its own"):
        founding.init(tmp_path / "public", tmp_path / "founders.toml")
