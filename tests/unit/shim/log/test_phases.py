from kaniko_shim.log.phases import Phases


def test_phases_measure():
    now = [100.0]
    phases = Phases(lambda: now[0])
    with phases.fetching():
        now[0] += 1.5
    phases.enter("pushing")
    now[0] += 2
    assert (phases.timings.fetch, phases.elapsed, phases.milliseconds()) == (1500, 2, 3500)
