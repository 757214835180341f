"""Arithmetic on Kubernetes quantities such as `512Mi`.

`kubernetes.utils.quantity` parses them too, but it does not keep the suffix (`512Mi` doubled is `1024Mi` here), and it
imports the whole client, which pure folders do not.
"""

import math
import re
from fractions import Fraction
from typing import Final

#: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_QUANTITY: Final = re.compile(r"(?P<number>[0-9]*\.?[0-9]+|[0-9]+\.)(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+|)")
_SUFFIXES: Final = {
    **{f"{letter}i": Fraction(1024) ** (power + 1) for power, letter in enumerate("KMGTPE")},
    **{letter: Fraction(1000) ** (power + 1) for power, letter in enumerate("kMGTPE")},
    **{letter: Fraction(1, 1000 ** (power + 1)) for power, letter in enumerate("mun")},
    "": Fraction(1),
}


def multiply(quantity: object, factor: float) -> str:
    """Multiply a quantity of bytes, rounded up; the suffix stays where the result is whole.

    >>> multiply("512Mi", 2.0)
    '1024Mi'
    >>> multiply("1Gi", 1.5)
    '1610612736'

    Raises:
        ValueError: it is no quantity.
    """
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"{quantity!r} is no quantity")
    number, suffix = Fraction(match["number"]) * Fraction(factor), match["suffix"]
    if number.denominator == 1:
        return f"{number.numerator}{suffix}"
    unit = _SUFFIXES[suffix] if suffix in _SUFFIXES else Fraction(10) ** int(suffix[1:])
    return str(math.ceil(number * unit))
