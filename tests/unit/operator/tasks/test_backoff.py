from imagebuild_operator.tasks.backoff import Backoff


def test_each_delay_is_twice_the_last_up_to_the_longest_and_spread():
    backoff = Backoff(longest=60)
    delays = [backoff.next() for _ in range(12)]
    nominal = [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    assert all(most / 2 <= delay <= most for delay, most in zip(delays, nominal, strict=True))
    assert len(set(delays)) > 1


def test_a_success_starts_over():
    backoff = Backoff()
    for _ in range(2000):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 0.5
