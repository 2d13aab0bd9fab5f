"""The example data: what it claims to hold is in it, and the contracts take it as it is."""

from collections import Counter

import pytest

from coseal.contracts.policy import CONTRACT as POLICY
from coseal.demo import policies
from coseal.demo.examples import example
from coseal.errors import CosealError
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from coseal.ledger import codec
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES


def test_table_1_has_ten_policies_and_no_act_that_the_table_does_not_tell():
    args = policies.table1()
    assert POLICY.actions["record"].arguments.check(args) is None
    rows = args["instruments"]
    assert len(rows) == 10
    assert sum("countersigned_by" in row for row in rows) == 6
    assert rows[0]["passed_by"] == ["People's Bank of China"]
    assert all(row["events"] == [] and len(row["date_publication"]) == len("2017-09") for row in rows)


def test_the_corpus_holds_every_instrument_and_event_and_fits_transactions():
    batches = policies.corpus_batches()
    assert all(POLICY.actions["record"].arguments.check(batch) is None for batch in batches)
    assert all(len(codec.encode(batch)) < MAX_TRANSACTION_BYTES - 1_024 for batch in batches)
    instruments = [row for batch in batches for row in batch["instruments"]]
    assert len(instruments) == len({row["id"] for row in instruments}) == 3_464
    assert Counter(row["level"] for row in instruments) == {"central": 1_553, "provincial": 1_089, "municipal": 822}
    events = [event for row in instruments for event in row["events"]]
    assert len(events) == 8_117
    assert sum("issuer" not in event for event in events) == 901
    assert Counter(event["action"] for event in events) == {
        "passed": 3_147,
        "amended": 1_727,
        "approved": 972,
        "promulgated": 954,
        "revised": 721,
        "effective": 596,
    }


def test_the_fines_are_all_there_and_name_no_officer():
    path = example("traffic-fines/traffic-fines.csv.gz")
    log = read_log(path, load_mapping(example("traffic-fines/traffic-fines.toml"), path))
    assert log.counts()["events"] == 34_724
    assert len({item["objects"][0][1] for item in log.items}) == 10_000
    assert len(log.definition["event_types"]) == 11
    for name in ("resource", "matricola"):
        values = {item["attributes"][name] for item in log.items if name in item["attributes"]}
        assert values
        assert all(len(value) == 12 and set(value) <= set("0123456789abcdef") for value in values)


def test_the_fines_are_the_reference_log_but_for_the_officers(reference_data):
    import csv
    import gzip
    import io

    def rows(data: bytes) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(gzip.decompress(data).decode(), newline="")))

    ours = rows(example("traffic-fines/traffic-fines.csv.gz").read_bytes())
    theirs = rows((reference_data / "csv" / "traffic_fines_10k.csv.gz").read_bytes())
    pseudonyms: dict[str, str] = {}
    for mine, original in zip(ours, theirs, strict=True):
        for name in original:
            if name in ("resource", "matricola") and original[name]:
                assert pseudonyms.setdefault(original[name], mine[name]) == mine[name]
            else:
                assert mine[name] == original[name]
    assert len(set(pseudonyms.values())) == len(pseudonyms)


def test_batches_are_cut_by_count_and_by_size():
    rows = [{"id": f"i{n}", "text": "x" * 1_000} for n in range(450)]
    cut = list(policies.batches(rows))
    assert [row for batch in cut for row in batch] == rows
    assert max(len(batch) for batch in cut) <= policies.BATCH_INSTRUMENTS
    big = [{"id": "a", "text": "x" * 150_000}, {"id": "b", "text": "x" * 150_000}]
    assert [len(batch) for batch in policies.batches(big)] == [1, 1]


def test_a_missing_example_is_a_friendly_error():
    with pytest.raises(CosealError, match="missing"):
        example("none/none.json")
