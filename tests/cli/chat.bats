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

@test "a disk that fails once costs one turn, not the chat" {
    command -v cc > /dev/null || skip 'no C compiler'
    cat > fail.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int sync_or_fail(const char *name, int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (unlink(getenv("FAIL_ONCE")) != 0)
        return real(fd);
    errno = EIO;
    return -1;
}
int fsync(int fd) { return sync_or_fail("fsync", fd); }
int fdatasync(int fd) { return sync_or_fail("fdatasync", fd); }
END
    cc -shared -fPIC fail.c -o fail.so -ldl
    mkfifo in
    FAIL_ONCE=$PWD/once LD_PRELOAD=$PWD/fail.so \
        ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" \
        command errand chat -m openai:echo -t none < in > out 2> err 3>&- &
    pid=$!
    exec 8> in
    echo one >&8
    await grep -qx one out
    touch once
    echo two >&8
    await grep -q 'opened again' err
    await grep -qx two out # the turn went on
    echo three >&8
    await grep -qx three out
    exec 8>&-
    wait "$pid" || true
    has "$(cat err)" 'could not be flushed to its disk'
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
