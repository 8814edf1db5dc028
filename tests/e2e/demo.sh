#!/bin/sh
# make demo does what the README says, in under a minute.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

begin=$(date +%s)
exits 'the demo succeeds' 0 tests/demo
seconds=$(($(date +%s) - begin))
ok "in under a minute ($seconds s)" [ $seconds -lt 60 ]
like 'shows both names' "$out" 'www\.example\.test.*example\.test|example\.test.*www\.example\.test'
like 'the chain is good' "$out" 'cert\.pem: OK'
done_testing
