from imagebuild_operator.cache.known_problems import KnownProblems
from support.builds import after


def test_a_problem_counts_for_a_while_after_it_was_met_first():
    known = KnownProblems(60)
    known.met("nodes a", "no", after(0))
    known.met("nodes a", "still no", after(30))
    assert known.at(["namespace x", "nodes a"], after(59.9)) == "no"
    assert known.at(["nodes a"], after(60)) == ""
    known.met("nodes a", "again", after(61))
    assert known.at(["nodes a"], after(62)) == "again"
    assert known.at(["nodes b"], after(62)) == ""


def test_only_the_newest_are_remembered():
    known = KnownProblems(60, most=2)
    for place in "abc":
        known.met(place, f"problem of {place}", after(0))
    assert [known.at([place], after(1)) for place in "abc"] == ["", "problem of b", "problem of c"]
