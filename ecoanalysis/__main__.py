"""Make `python -m ecoanalysis` the same as the command `ecoanalysis`."""

from ecoanalysis.cli import main

main()
