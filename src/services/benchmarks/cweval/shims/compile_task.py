"""Compiles one file by upstream's own function. Arguments: the checkout's package folder, the source, the program."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import secpi_upstream


def main():
    home, source, program = sys.argv[1:]
    # Go looks for its modules from here.
    os.chdir(home)
    secpi_upstream.use(home)
    from cweval.commons import compile_src

    status, _, _ = compile_src(source, program, check=False)
    sys.exit(0 if status == 0 else 1)


main()
