import pytest
from consensus_harness import World


@pytest.mark.parametrize("n", [1, 4, 5, 6, 7])
def test_replicas_decide_one_block_after_another(n):
    world = World(n)
    world.run()
    for number in range(5):
        world.submit(b"transaction %d" % number)
        world.run_for(100)
    assert len(world.agreed()) == 6
    assert set(world.heights().values()) == {7}
    assert all(node.application.committed == [b"transaction %d" % i for i in range(5)] for node in world.nodes.values())
