"""Runs inside the sandbox, never imported: are these expressions all 0?

Arguments: the folders of sympy and mpmath. Standard input: a secret of SECRET_BYTES, then a JSON list of expressions.
The answer yes is the secret on standard output with exit status 0. What sympy cannot read is not 0.
Source of the reading: openai/prm800k 7ecc794, prm800k/grading/grader.py.
"""

import json
import os
import sys
from pathlib import Path

SECRET_BYTES = 32


def rest_of_stdin() -> str:
    with open(0, "rb", closefd=False) as file:
        return file.read().decode("utf-8")


def are_zero() -> bool:
    import sympy
    from sympy.parsing import sympy_parser

    rules = (*sympy_parser.standard_transformations, sympy_parser.implicit_multiplication_application)
    texts = [expression.replace("^", "**") for expression in json.loads(rest_of_stdin())]
    return all(sympy.simplify(sympy_parser.parse_expr(text, transformations=rules)) == 0 for text in texts)


def main() -> None:
    sys.path.extend({str(Path(folder).parent) for folder in sys.argv[1:]})
    # The parser evaluates: while it does, the secret has no name, as in python_driver.py.
    os.write(1, os.read(0, SECRET_BYTES) * are_zero())


main()
