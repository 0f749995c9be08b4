#!/usr/bin/env bats
# scripts/clients with a node and an npm that are made up.

setup() {
    clients="$BATS_TEST_DIRNAME/../../scripts/clients"
    bin="$BATS_TEST_TMPDIR/bin"
    export CLIENTS_DIR="$BATS_TEST_TMPDIR/clients"
    mkdir -p "$bin" "$CLIENTS_DIR"
    echo '{"a": 1}' > "$CLIENTS_DIR/package-lock.json"
    local name
    for name in sh cmp mktemp timeout mkdir cp rm tail sed dirname sleep; do
        ln -s "$(command -v "$name")" "$bin/$name"
    done
    fake node 'exit 0'
    fake npm 'echo "$@" >> asked; mkdir node_modules'
}

fake() { printf '#!/bin/sh\n%s\n' "$2" > "$bin/$1"; chmod +x "$bin/$1"; }

fetch() { PATH="$bin" run "$bin/sh" "$clients"; }

asked() { grep -c ^ci "$CLIENTS_DIR/asked" || true; }

@test "fetched once, and again for another lock file" {
    fetch
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    fetch
    [ "$(asked)" -eq 1 ]
    echo '{"a": 2}' > "$CLIENTS_DIR/package-lock.json"
    rm -r "$CLIENTS_DIR/node_modules"
    fetch
    [ "$(asked)" -eq 2 ]
}

@test "no npm: said aloud, no failure" {
    rm "$bin/npm"
    fetch
    [ "$status" -eq 0 ]
    [ "$output" = 'clients: no npm here; the comparison is skipped' ]
}

@test "no registry: said aloud with npm's words, no failure, nothing half" {
    fake npm 'mkdir node_modules; echo E_NO_NETWORK >&2; exit 1'
    fetch
    [ "$status" -eq 0 ]
    [[ "$output" == *'npm ci failed'*E_NO_NETWORK* ]]
    [ ! -e "$CLIENTS_DIR/node_modules" ]
}

@test "a registry that does not answer is not waited for" {
    fake npm 'exec sleep 60'
    CLIENTS_SECONDS=1 fetch
    [ "$status" -eq 0 ]
    [[ "$output" == *'npm ci failed'* ]]
}
