"""Block files that are whole, cut or damaged (row W1), and nodes that answer well or badly over HTTP."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgpack
import pytest

from coseal.audit import sources
from coseal.audit.sources import Damaged, FileSource, Unreachable, UrlSource, open_source, sources_in
from coseal.ledger import framing


def read_all(source, first=1, last=1_000):
    """Return the blocks that came and the error that ended them, if any."""
    blocks = []
    try:
        blocks.extend(source.blocks(first, last))
    except (Damaged, Unreachable) as error:
        return blocks, error
    return blocks, None


def last_file(folder):
    return sorted((folder / "blocks").glob("*.log"))[-1]


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x01
    path.write_bytes(data)


@pytest.fixture
def folder(chain, tmp_path):
    return chain.write(tmp_path / "node", per_file=5)


def test_blocks_come_in_order_from_several_files(chain, folder):
    source = FileSource(folder)
    assert source.tip() == 12
    assert read_all(source) == ([block.encode() for block in chain.blocks], None)
    assert FileSource(folder / "blocks").tip() == 12


@pytest.mark.parametrize(("first", "last"), [(1, 1), (4, 7), (5, 5), (6, 6), (11, 12), (12, 99), (13, 20)])
def test_a_range_is_read_without_the_rest(chain, folder, first, last):
    expected = [block.encode() for block in chain.blocks[first - 1 : last]]
    assert read_all(FileSource(folder), first, last) == (expected, None)


def test_one_file_alone_is_a_source(chain, folder):
    second = sorted((folder / "blocks").glob("*.log"))[1]
    source = FileSource(second)
    assert source.tip() == 10
    assert read_all(source, 6, 10) == ([block.encode() for block in chain.blocks[5:10]], None)
    blocks, error = read_all(source, 1, 10)
    assert blocks == []
    assert "begin at height 6" in error.reason


def test_a_flipped_byte_anywhere_in_the_last_record_is_damage_at_its_height(folder):
    path = last_file(folder)
    view = memoryview(path.read_bytes())
    record = framing.read(view, 0)
    assert record.sequence == 11
    whole = path.read_bytes()
    for offset in [*range(record.end, record.end + 40), *range(record.end + 40, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole)
        flip(path, offset)
        source = FileSource(folder)
        blocks, error = read_all(source, 1, source.tip())
        assert (len(blocks), error.height, error.torn) == (11, 12, False), offset


def test_a_file_cut_within_its_last_record_is_torn_not_damaged(folder):
    path = last_file(folder)
    whole = path.read_bytes()
    start = framing.read(memoryview(whole), 0).end
    for size in (start + 1, start + 14, start + 15, start + 200, len(whole) - 1):
        path.write_bytes(whole[:size])
        source = FileSource(folder)
        blocks, error = read_all(source, 1, source.tip())
        assert (len(blocks), error.height, error.torn) == (11, 12, True), size


@pytest.mark.parametrize(("file", "height"), [(0, 1), (0, 3), (0, 5), (1, 6), (1, 10), (2, 11)])
def test_damage_before_good_records_names_the_height(folder, file, height):
    path = sorted((folder / "blocks").glob("*.log"))[file]
    view, offset = memoryview(path.read_bytes()), 0
    while (record := framing.read(view, offset)).sequence != height:
        offset = record.end
    flip(path, offset + 100)
    source = FileSource(folder)
    blocks, error = read_all(source, 1, source.tip())
    assert (len(blocks), error.height, error.torn) == (height - 1, height, False)
    assert "with good ones after it" in error.reason


def test_a_changed_head_of_a_middle_record_of_the_last_file_is_damage(folder):
    path = last_file(folder)
    pristine = path.read_bytes()
    for offset in range(15):
        for mask in (0x01, 0x10, 0x80):
            changed = bytearray(pristine)
            changed[offset] ^= mask
            path.write_bytes(changed)
            blocks, error = read_all(FileSource(folder), 1, 12)
            assert (len(blocks), error.height, error.torn) == (10, 11, False), (offset, mask)
            assert "with good ones after it" in error.reason


def test_a_cut_in_a_file_that_is_not_the_last_is_damage(folder):
    path = sorted((folder / "blocks").glob("*.log"))[0]
    path.write_bytes(path.read_bytes()[:-5])
    blocks, error = read_all(FileSource(folder), 1, 12)
    assert (len(blocks), error.height, error.torn) == (4, 5, False)


def test_a_missing_file_is_noticed_at_the_height_it_held(folder):
    (sorted((folder / "blocks").glob("*.log"))[1]).unlink()
    blocks, error = read_all(FileSource(folder), 1, 12)
    assert (len(blocks), error.height, error.torn) == (5, 6, False)
    assert "of height 11" in error.reason


def test_damage_above_the_wanted_range_is_not_looked_at(chain, folder):
    flip(last_file(folder), 50)
    assert read_all(FileSource(folder), 1, 10) == ([block.encode() for block in chain.blocks[:10]], None)


def test_a_folder_without_block_files_is_unreachable(tmp_path):
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "00000001.log").touch()
    for place in (tmp_path, tmp_path / "absent"):
        with pytest.raises(Unreachable, match="no block files"):
            FileSource(place).tip()


def test_a_network_folder_has_one_source_a_node(chain, tmp_path):
    for name in ("b", "a"):
        chain.write(tmp_path / "nodes" / name)
    assert [source.name for source in sources_in(tmp_path)] == ["a", "b"]
    assert [source.name for source in sources_in(tmp_path / "nodes" / "a")] == ["a"]
    assert isinstance(open_source(str(tmp_path)), FileSource)


# Over HTTP


@contextmanager
def served(answer):
    """Serve ``answer(path, headers) -> (status, body)`` on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answer(self.path, self.headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.block_on_close = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def node_of(chain, page=5):
    def answer(path, headers):
        if path == "/v1/status":
            return 200, json.dumps({"height": len(chain.blocks), "chain_id": chain.chain_id.hex()}).encode()
        if path == "/v1/genesis":
            return 200, chain.genesis.raw
        assert headers["Accept"] == "application/msgpack"
        first = int(path.partition("from=")[2].partition("&")[0])
        limit = min(page, int(path.partition("limit=")[2]))
        return 200, msgpack.packb([block.encode() for block in chain.blocks[first - 1 : first - 1 + limit]])

    return answer


def test_a_node_gives_its_blocks_in_pages(chain):
    with served(node_of(chain)) as url:
        source = UrlSource(url + "/v1/")
        assert source.tip() == 12
        assert source.genesis() == chain.genesis.raw
        assert read_all(source) == ([block.encode() for block in chain.blocks], None)
        assert read_all(source, 4, 9) == ([block.encode() for block in chain.blocks[3:9]], None)
        assert isinstance(open_source(url), UrlSource)


def test_a_token_is_sent_as_bearer():
    with served(lambda path, headers: (200, json.dumps({"height": len(headers["Authorization"])}).encode())) as url:
        assert UrlSource(url, token="secret").tip() == len("Bearer secret")


@pytest.mark.parametrize(
    "answer",
    [
        (404, b"{}"),
        (410, json.dumps({"detail": "blocks below 7 were pruned"}).encode()),
        (500, b"\xff"),
        (200, b""),
        (200, b"\xff\xff"),
        (200, msgpack.packb({"blocks": []})),
        (200, msgpack.packb([1, 2])),
        (200, msgpack.packb([b""] * (sources.PAGE_BLOCKS + 1))),
    ],
)
def test_a_node_that_answers_nonsense_is_unreachable_with_the_reason(answer):
    with served(lambda path, headers: answer) as url:
        blocks, error = read_all(UrlSource(url))
        assert blocks == []
        assert isinstance(error, Unreachable)
        assert "pruned" in error.reason or answer[0] != 410
        with pytest.raises(Unreachable):
            UrlSource(url).tip()


def test_an_answer_is_read_only_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(sources, "MAX_RESPONSE_BYTES", 1_000)
    with served(lambda path, headers: (200, bytes(1_001))) as url:
        _, error = read_all(UrlSource(url))
        assert "more than 1000 bytes" in error.reason


def test_an_answer_that_drips_is_given_up(monkeypatch):
    monkeypatch.setattr(sources, "RESPONSE_SECONDS", -1.0)
    with served(lambda path, headers: (200, bytes(10))) as url:
        _, error = read_all(UrlSource(url))
        assert "no whole answer" in error.reason


def test_nobody_listening_is_unreachable():
    with served(lambda path, headers: (200, b"")) as url:
        pass
    with pytest.raises(Unreachable):
        UrlSource(url).tip()


@pytest.mark.parametrize("url", ["ftp://host/x", "file:///etc/passwd", "http://", "host:80"])
def test_only_http_urls_are_sources(url):
    with pytest.raises(ValueError, match="expected http"):
        UrlSource(url)
