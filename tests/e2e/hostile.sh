#!/bin/sh
# Hostile CAs: the cases of the project's notes on faults that a scripted server
# plays (tests/ca/hostile.py), by the driver of behaviours.sh.
TABLE=tests/ca/hostile.py
export TABLE
exec sh "$(dirname "$0")/behaviours.sh"
