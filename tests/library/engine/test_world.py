"""What ranks do together is what one does alone."""

import torch.distributed as dist

from unetpp_lib.engine.distributed import World


def test_a_world_of_one_does_the_work_itself():
    assert World().share(lambda items: [item * 10 for item in items], [1, 2, 3]) == [10, 20, 30]


def test_ranks_do_a_share_each_and_all_get_all_answers_in_order(monkeypatch):
    done = {}

    def work(rank):
        def do(items):
            done[rank] = items
            return [item * 10 for item in items]

        return do

    def gather(shares, own):
        shares[:] = [work(rank)(items[rank::3]) for rank in range(3)]
        assert shares[1] == own

    monkeypatch.setattr(dist, "all_gather_object", gather)
    items = list(range(8))
    assert World(rank=1, size=3).share(work(1), items) == [item * 10 for item in items]
    assert done == {0: [0, 3, 6], 1: [1, 4, 7], 2: [2, 5]}
