#!/usr/bin/env bats
# Which calls run: rules, questions in a terminal, runs that wait.
load helper

setup_file() { start_endpoint; }
teardown_file() { stop_endpoint; }
setup() { own_folder; tick_tool; }

calls() { # states of the newest run's calls
    errand log list --json
    errand log show "$(jq -r '.[0].id' <<< "$output")" --json
    jq -r '[.runs[-1].calls[].state] | join(" ")' <<< "$output"
}

@test "a rule that denies, one that asks, one that allows" {
    errand run -m openai:rounds-1 --deny 'tick(n=1*)' go
    same "$status" 0
    same "$(calls)" denied
    errand run -m openai:rounds-1 --ask tick go
    same "$status" 0
    same "$(calls)" denied
    errand run -m openai:rounds-1 --ask 'tick(n>5)' go
    same "$status" 2
    has "$stderr" 'followed by =, != or =='
    errand run -m openai:rounds-1 --ask tick --approve 'tick(*)' go
    same "$(calls)" denied # ask comes before allow
}

@test "a tool that is denied by name: named, it is an error" {
    errand run -m openai:rounds-1 -t tick --deny 't*' go
    same "$status" 1
    has "$stderr" 'the tool tick is denied by the rule deny "t*"'
}

@test "errand.lua: the user's file allows, the folder's tightens only" {
    mkdir -p "$HOME/.config/errand"
    echo 'return { policy = { allow = { "tick(n=1)" }, default = "ask" } }' \
        > "$HOME/.config/errand/errand.lua"
    errand policy list
    same "$status" 0
    [[ ${lines[0]} =~ ^allow\ +configuration\ +tick\(n=1\)$ ]]
    errand policy check tick '{"n": 1}'
    same "$output" 'allow: the rule allow "tick(n=1)" (errand.lua)'
    echo 'return { policy = { deny = { "tick" }, default = "allow" } }' \
        > errand.lua
    errand policy check tick '{"n": 1}'
    same "$output" 'deny: the rule deny "tick" (errand.lua)'
    echo 'return { policy = { allow = { "*(*)" } } }' > errand.lua
    errand policy check tick
    same "$status" 2
    has "$stderr" 'errand.lua of the working folder allows calls'
    errand policy check tick '{"n": 1}' --config errand.lua
    same "$output" 'allow: the rule allow "*(*)" (errand.lua)'
    echo 'return { policy = { deny = { "tick(" } } }' > errand.lua
    errand policy list
    same "$status" 2
    has "$stderr" 'errand.lua: policy.deny'
    echo 'return { policy = { denies = { "x" } } }' > errand.lua
    errand policy list
    same "$status" 2
    rm "$HOME/.config/errand/errand.lua"
}

@test "policy check says why, also when text came from outside" {
    cat > tools/send.lua <<'END'
return { name = "send", description = "Send", effect = "unsafe",
  parameters = { type = "object", properties = {} },
  run = function() return "sent" end }
END
    errand policy check send
    same "$output" 'allow: no rule is about it'
    errand policy check send --tainted --json
    same "$(jq -r .decision <<< "$output")" ask
    errand policy check send --tainted --approve send
    has "$output" 'ask: this conversation holds text from outside'
    errand policy check send --tainted --approve 'send(*)'
    has "$output" 'allow: the rule'
    errand policy check nothing
    same "$status" 1
    errand policy check send '[]'
    same "$status" 2
}

@test "a run waits for approval, is approved by hand, and goes on" {
    errand run -m openai:rounds-2 --ask tick --wait-approval go
    same "$status" 3
    has "$stderr" 'waits for approval'
    errand log list --json
    run_id=$(jq -r '.[0].id' <<< "$output")
    same "$(jq -r '.[0].reason' <<< "$output")" approval
    errand log show "$run_id" --json
    call=$(jq -r '.runs[0].calls[0].id' <<< "$output")
    same "$(jq -r '.runs[0].calls[0].asked' <<< "$output")" \
        'the rule ask "tick" (this request)'
    errand log resolve "$call" --done
    same "$status" 1
    has "$stderr" 'is waiting_approval'
    errand log resolve "$call"
    same "$status" 2
    errand log resolve "$call" --approve
    same "$status" 0
    errand resume "$run_id"
    same "$status" 3 # the second round's call
    same "$(calls)" 'done waiting_approval'
    errand log show "$run_id" --json
    call=$(jq -r '.runs[0].calls[1].id' <<< "$output")
    errand log resolve "$call" --refuse 'enough'
    errand resume "$run_id"
    same "$status" 0
    same "$(calls)" 'done denied'
    errand log show "$run_id" --json
    has "$output" 'The reason: enough'
}

@test "a changed tool asks again" {
    errand run -m openai:rounds-1 --ask tick --wait-approval go
    run_id=$(command errand log list --json | jq -r '.[0].id')
    call=$(command errand log show "$run_id" --json |
        jq -r '.runs[0].calls[0].id')
    errand log resolve "$call" --approve
    sed -i 's/"tick "/"tock "/' tools/tick.lua
    errand resume "$run_id"
    same "$status" 3
    same "$(calls)" waiting_approval
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

@test "in a terminal: help, all of it, yes, and no with a reason" {
    in_terminal 'errand run -m openai:rounds-2 --ask tick go' <<'END'
wants to run tick:.*n = 1.*the rule ask.*or ? >|?\n
yes, always.*or ? >|y\n
tick 1.*wants to run tick:.*n = 2.*or ? >|n enough of it\n
END
    has "$(cat screen)" 'refused this call'
    same "$(calls)" 'done denied'
    errand log list --json
    errand log show "$(jq -r '.[0].id' <<< "$output")" --json
    has "$output" 'The reason: enough of it'
}

@test "in a terminal: for the run, and for always" {
    in_terminal 'errand run -m openai:rounds-3 --ask tick go' <<'END'
or ? >|r\n
END
    same "$(calls)" 'done done done'
    in_terminal 'errand run -m openai:rounds-2 --ask tick go' <<'END'
n = 1.*or ? >|a tock\n
does not fit this call.*or ? >|a tick(n=*)\n
kept in the store: tick|
END
    same "$(calls)" 'done done'
    errand policy list
    has "$output" 'tick(n=*)'
    errand policy forget 'tick(n=*)'
    same "$status" 0
    errand policy forget 'tick(n=*)'
    same "$status" 1
}

@test "in a terminal: what hides is shown" {
    cat > script.jsonl <<'END'
{"match": {"turn": 1}, "answer": {"calls": [{"name": "say", "arguments": {"text": "a\u001b[2J\u202eb\u200b\u007f\u00ad\n"}}]}}
{"repeat": true, "answer": {"content": "over"}}
END
    cat > tools/say.lua <<'END'
return { name = "say", description = "Say", effect = "pure",
  parameters = { type = "object", properties = {
    text = { type = "string", description = "what" } } },
  run = function(args) return args.text end }
END
    "$BUILD/tests/endpoint" --port 0 --seconds 200 --script script.jsonl \
        > port 3>&- &
    pid=$!
    await grep -qs port port
    OPENAI_BASE_URL="http://127.0.0.1:$(sed 's/port //' port)/v1" in_terminal \
        'errand run -m openai:script --ask say go' <<'END'
or ? >|n\n
END
    kill "$pid"
    has "$(cat screen)" 'text = "a\u001b[2J\u202eb\u200b\u007f\u00ad\n"'
}
