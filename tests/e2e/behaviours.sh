#!/bin/sh
# Behaviours of CAs that break naive clients, numbered as in the project's notes
# on the protocol: the program against tests/ca/server.py, which plays each row
# of tests/ca/behaviours.py.
. "$(dirname "$0")/../lib.sh"
. tests/ca/play.sh
play tests/ca/behaviours.py
done_testing
