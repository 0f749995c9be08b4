# What the tests of the command line share. Every test has a folder of its
# own as working folder and store, so none sees the other.

bats_require_minimum_version 1.5.0
ROOT="${ERRAND_ROOT:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
BUILD="${ERRAND_BUILD:-$ROOT/build}"
[[ $BUILD == /* ]] || BUILD="$ROOT/$BUILD"
PATH="$BUILD:$PATH"
export NO_COLOR=1 HOME="$BATS_FILE_TMPDIR" XDG_STATE_HOME="$BATS_FILE_TMPDIR"
unset XDG_DATA_HOME XDG_CONFIG_HOME ERRAND_MODEL

# Wait until the command says yes; after a minute, say what did not come and
# fail. How fast a machine is decides no test.
await() {
    local end=$((SECONDS + 60))
    until "$@"; do
        ((SECONDS < end)) || {
            echo "waited a minute for: $*"
            return 1
        }
        sleep 0.05
    done
}

own_folder() {
    cd "$BATS_TEST_TMPDIR"
    export ERRAND_STORE="$BATS_TEST_TMPDIR/errand.db"
}

# A model that plays by the name it is asked by: see tests/endpoint.
# start_endpoint [OPTION...] in setup_file, stop_endpoint in teardown_file.
start_endpoint() {
    mkfifo "$BATS_FILE_TMPDIR/hold"
    "$BUILD/tests/endpoint" --port 0 --until-eof "$@" \
        < "$BATS_FILE_TMPDIR/hold" > "$BATS_FILE_TMPDIR/port" 3>&- &
    endpoint_pid=$!
    exec 9> "$BATS_FILE_TMPDIR/hold"
    await grep -q '^port' "$BATS_FILE_TMPDIR/port"
    export OPENAI_BASE_URL OPENAI_API_KEY=none
    OPENAI_BASE_URL="http://127.0.0.1:$(sed -n 's/^port //p' \
        "$BATS_FILE_TMPDIR/port")/v1"
}

stop_endpoint() {
    exec 9>&-
    wait "$endpoint_pid" || true
}

# The tool that the endpoint's models like to call.
tick_tool() {
    mkdir -p tools
    cat > tools/tick.lua <<'END'
return {
  name = "tick",
  description = "Count",
  parameters = {
    type = "object",
    properties = { n = { type = "integer" } },
    required = { "n" },
  },
  effect = "pure",
  run = function(args) return "tick " .. args.n end,
}
END
}

# Both streams apart: $output and $stderr.
errand() {
    run --separate-stderr errand_alone "$@"
}

errand_alone() {
    command errand "$@" < "${INPUT:-/dev/null}"
}

# Compares and shows the difference.
same() {
    [ "$1" = "$2" ] || {
        printf 'got:  %s\nwant: %s\n' "$1" "$2"
        return 1
    }
}

has() {
    [[ $1 == *"$2"* ]] || {
        printf 'in:      %s\nmissing: %s\n' "$1" "$2"
        return 1
    }
}
