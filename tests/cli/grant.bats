#!/usr/bin/env bats
# What a tool's file asks for is granted once, and asked again when the file
# has changed.
load helper

setup_file() { start_endpoint; }
teardown_file() { stop_endpoint; }

setup() {
    own_folder
    mkdir tools
    cat > tools/tick.lua <<'END'
return { name = "tick", description = "Look", effect = "read",
  parameters = { type = "object", properties = {
    n = { type = "integer", description = "a number" } } },
  permissions = { read = { "notes" } },
  run = function(args, ctx) return #ctx.fs.list("notes") end }
END
    mkdir notes
}

@test "without a terminal a run with it is refused, with what to type" {
    errand run -m openai:rounds-1 go
    same "$status" 1
    has "$stderr" 'the tool tick asks for {"read":["notes"]}'
    has "$stderr" 'errand tools grant tick'
    errand log list --json
    same "$(jq length <<< "$output")" 0
    errand run -m openai:echo -t none go
    same "$status" 0
    errand tools list
    has "$output" '(not granted)'
}

@test "--grant is for once, tools grant until the file changes" {
    errand run -m openai:rounds-1 --grant tick go
    same "$status" 0
    errand tools call tick
    same "$status" 1
    errand tools call tick --grant '*'
    same "$output" 0
    errand tools grant tick
    same "$status" 0
    errand tools call tick
    same "$output" 0
    errand run -m openai:rounds-1 go
    same "$status" 0
    errand tools list --json
    same "$(jq -r '.[] | select(.name == "tick") | .grant' <<< "$output")" \
        stored
    echo '-- changed' >> tools/tick.lua
    errand tools call tick
    same "$status" 1
    has "$stderr" 'errand tools grant tick'
}

@test "revoke takes it back" {
    errand tools grant '*'
    errand tools call tick
    same "$status" 0
    errand tools revoke tick
    same "$status" 0
    errand tools call tick
    same "$status" 1
    errand tools revoke tick
    same "$status" 1
    errand tools grant no_such
    same "$status" 1
}

@test "what came with errand is granted, wherever it lies" {
    cp "$ROOT/tools/list_files.lua" tools/
    errand tools list --json
    same "$(jq -r '.[] | select(.name == "list_files") | .grant' \
        <<< "$output")" shipped
    echo '-- no more' >> tools/list_files.lua
    errand tools list --json
    same "$(jq -r '.[] | select(.name == "list_files") | .granted' \
        <<< "$output")" false
}

# In a terminal: each line is "SEEN|TYPE", as in chat.bats.
typed() {
    local seen text
    while IFS='|' read -r seen text; do
        await shows "$seen" > unseen || return
        rm unseen
        printf "$text"
    done
}

shows() { tr -d '\r\n' < screen | grep -aqe "$1"; }

in_terminal() {
    : > screen
    typed | TERM=xterm timeout 60 script -qefc "exec $1" /dev/null \
        > screen 2>&1
    [ ! -e unseen ] || { cat unseen screen; return 1; }
}

@test "in a terminal it asks: for now, for always" {
    in_terminal 'errand tools call tick' <<'END'
tick .tools/tick.lua. asks for:.*read.*notes.*n no >|y\n
END
    errand tools call tick
    same "$status" 1
    in_terminal 'errand run -m openai:rounds-1 go' <<'END'
asks for:.*n no >|a\n
END
    errand tools call tick
    same "$status" 0
}
