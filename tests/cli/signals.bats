#!/usr/bin/env bats
# Ctrl-C and kill: the first stops in an orderly way, the second at once, and
# what was begun can be gone on with.
load helper

setup_file() { start_endpoint --log "$BATS_FILE_TMPDIR/bodies"; }
teardown_file() { stop_endpoint; }
setup() { own_folder; }

asked() { cat "$BATS_FILE_TMPDIR/bodies" 2> /dev/null | wc -l; }
asked_more_than() { [ "$(asked)" -gt "$1" ]; }

# Start in the background (with signals as in the foreground) and wait until
# the store knows the run and the model is asked.
begin() {
    rm -f out
    local before
    before=$(asked)
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' errand "$@" \
        < /dev/null > out 2> err 3>&- &
    pid=$!
    await grep -qs started out
    await asked_more_than "$before"
}

ended() {
    status=0
    wait "$pid" || status=$?
}

@test "Ctrl-C pauses the run: status 130, and resume goes on" {
    begin run --events -m openai:echo-delay-30000 -t none hello
    kill -INT "$pid"
    ended
    same "$status" 130
    has "$(cat err)" 'errand resume'
    same "$(tail -n 1 out | jq -r .type)" paused
    id=$(head -n 1 out | jq -r .run)
    errand log list --json
    same "$(jq -r '.[0].state' <<< "$output")" paused
}

@test "SIGTERM does the same" {
    begin run --events -m openai:echo-delay-30000 -t none hello
    kill -TERM "$pid"
    ended
    same "$status" 130
}

@test "a killed run is found and gone on with" {
    begin run --events -m openai:echo-delay-30000-then-ok -t none hello
    kill -KILL "$pid"
    ended
    errand resume
    same "$status" 0
    same "$output" hello
    errand resume
    same "$status" 0
    same "$output" ''
    has "$stderr" 'nothing to go on with'
}

@test "resume without a run takes all that were interrupted" {
    local i
    for i in 1 2 3; do
        begin run --events -m openai:echo-delay-30000-then-ok -t none "hello $i"
        kill -KILL "$pid"
        ended
    done
    errand resume --json
    same "$status" 0
    same "$(jq -r .answer <<< "$output" | sort | tr '\n' ,)" \
        'hello 1,hello 2,hello 3,'
}

@test "resume names a run that is not there" {
    errand resume 0123
    same "$status" 1
    has "$stderr" '0123'
}

@test "a run whose conversation went on without it is passed over" {
    begin run --events -m openai:echo-delay-30000 -t none hello
    kill -INT "$pid"
    ended
    id=$(head -n 1 out | jq -r .run)
    errand run -m openai:echo -t none --last again
    same "$output" again
    errand resume
    same "$status" 0
    has "$stderr" 'nothing to go on with'
    errand resume --all
    same "$status" 0
    errand resume "$id"
    same "$status" 1
    has "$stderr" 'cannot go on'
}

@test "nohup is respected" {
    nohup "$BUILD/errand" run --events -m openai:echo-delay-1000 -t none hi \
        < /dev/null > out 2> err 3>&- &
    pid=$!
    await grep -qs started out
    kill -HUP "$pid"
    ended
    same "$status" 0
    same "$(tail -n 1 out | jq -r .answer)" hi
}

@test "a run that lives in another process is left to it" {
    begin run --events -m openai:echo-delay-2000 -t none one
    first=$pid
    begin run --events -m openai:echo-delay-2000 -t none two
    errand resume
    same "$status" 0
    same "$output" ''
    ended
    same "$status" 0
    wait "$first"
    errand log list --json
    same "$(jq -r '[.[].state] | join(" ")' <<< "$output")" 'done done'
}
