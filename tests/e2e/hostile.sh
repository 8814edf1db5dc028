#!/bin/sh
# Hostile CAs: the cases of the project's notes on faults that a scripted server
# plays (tests/ca/hostile.py).
. "$(dirname "$0")/../lib.sh"
. tests/ca/play.sh
play tests/ca/hostile.py
done_testing
