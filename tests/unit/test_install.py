from install import NAMESPACE, RELEASE, others


def listed(name: str, namespace: str, chart: str = "imagebuild-operator-0.1.0") -> dict[str, str]:
    return {"name": name, "namespace": namespace, "chart": chart}


def test_an_install_of_somebody_else_is_found():
    assert others([listed("imagebuild", "imagebuild-system")]) == ["imagebuild in namespace imagebuild-system"]


def test_the_own_release_and_other_charts_are_none():
    assert others([listed(RELEASE, NAMESPACE), listed("imagebuild", "x", "something-else-1.2.3")]) == []
