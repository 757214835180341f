from kaniko_shim.log.tail import LINES, LogTail


def test_the_tail_holds_the_last_lines():
    tail = LogTail()
    for number in range(100):
        tail.add(f"{number} " + "x" * 1000)
    lines = tail.text.split("\n")
    assert (len(lines), lines[-1][:3], len(lines[-1])) == (LINES, "99 ", 400)
