#!/usr/bin/env bats
# errand chat: in a terminal (script makes one) and line by line.
load helper

setup_file() { start_endpoint; }
teardown_file() { stop_endpoint; }
setup() { own_folder; }

@test "line by line where there is no terminal" {
    printf 'hello\none \\\ntwo\n"""a\nb"""\n\n/new\nlast' > in
    INPUT=in errand chat -m openai:echo -t none
    same "$status" 0
    same "$output" $'hello\none \ntwo\na\nb\nlast'
    errand log list --json
    same "$(jq 'length' <<< "$output")" 4
    same "$(jq -r '[.[].conversation] | unique | length' <<< "$output")" 2
}

@test "commands: help, model, tools, save, undo, an unknown one" {
    printf '%s\n' /help /toosl first second '/save talk.md' /undo third \
        '/save after.md' '/model openai:status-400' fourth /quit never > in
    INPUT=in errand chat -m openai:echo -t none
    same "$status" 1 # of the fourth
    same "$output" $'first\nsecond\nthird'
    has "$stderr" '/undo'
    has "$stderr" 'there is no /toosl; did you mean /tools?'
    has "$(cat talk.md)" 'second'
    has "$(cat after.md)" 'first'
    has "$(cat after.md)" 'third'
    [[ $(cat after.md) != *second* ]]
}

@test "-c and --last go on" {
    echo one > in
    INPUT=in errand chat -m openai:echo -t none
    echo two > in
    INPUT=in errand chat -m openai:echo -t none --last
    same "$status" 0
    errand log list --json
    same "$(jq -r '[.[].conversation] | unique | length' <<< "$output")" 1
}

# In a terminal: each line is "SEEN|TYPE": once the screen shows the one, the
# other is typed. What never shows stands in the file unseen.
typed() {
    local seen text
    while IFS='|' read -r seen text; do
        await shows "$seen" > unseen || return
        rm unseen
        printf "$text"
    done
}

shows() { tr -d '\r\n' < screen | grep -aqe "$1"; }

# The shell between must be gone: some end with 130 when their program, which
# goes on after Ctrl-C, ends with 0.
in_terminal() {
    : > screen
    typed | TERM=xterm timeout 240 script -qefc "exec $1" /dev/null \
        > screen 2>&1
    [ ! -e unseen ] || { cat unseen screen; return 1; }
}

@test "in a terminal: history, streaming, Ctrl-C stops the turn only" {
    in_terminal 'errand chat -v -m openai:echo -t none' <<'END'
/help tells|hello\r
turns.*> $|/model openai:echo-delay-20000\r
model: openai:echo-delay-20000> $|slow\r
> slow.*delay-20000$|\003
paused.*> $|half a line
half a line$|\003
\^C> $|/model openai:echo\r
model: openai:echo> |after\r
after.*turns.*> $|\004
END
    has "$(cat screen)" 'hello'
    has "$(cat screen)" 'paused'
    has "$(cat screen)" 'after'
    has "$(cat screen)" 'go on later: errand chat -c '
    grep -qx hello "$XDG_STATE_HOME/errand/chat_history"
    same "$(stat -c %a "$XDG_STATE_HOME/errand/chat_history")" 600
    errand log list --json
    same "$(jq -r '[.[].state] | join(" ")' <<< "$output")" 'done paused done'
}

@test "what a model says cannot move the terminal" {
    cat > script.jsonl <<'END'
{"repeat": true, "answer": {"content": "a\u001b[2Jb\u001b]0;title\u0007c\u009bd"}}
END
    "$BUILD/tests/endpoint" --port 0 --seconds 200 --script script.jsonl \
        > port 3>&- &
    pid=$!
    await grep -qs port port
    url="http://127.0.0.1:$(sed 's/port //' port)/v1"
    OPENAI_BASE_URL=$url in_terminal 'errand run -m openai:script -t none hi' \
        < /dev/null
    same "$(tr -d '\r' < screen)" 'abcd'
    OPENAI_BASE_URL=$url errand run -m openai:script -t none hi
    kill "$pid"
    wait "$pid" || true
    same "$output" $'a\e[2Jb\e]0;title\ac\u009bd' # a file gets the bytes
}
