"""`python -m reports.cli`, for where the installed script is not on the path."""

from reports.cli.app import main

main()
