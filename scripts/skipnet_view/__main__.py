"""Starts the plotter or the report, whatever lies in the working directory: plot.sh and report.sh call this file."""

import logging
import os
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until files are written nothing has to be put in order
logging.getLogger("matplotlib").setLevel(logging.ERROR)
sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

from skipnet_view import cli  # noqa: E402

sys.exit(cli.main(sys.argv[1:]))
