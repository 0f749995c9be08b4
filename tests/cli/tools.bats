#!/usr/bin/env bats
# errand tools: what there is, what is wrong with it, what it says.
load helper

setup() { own_folder; }

@test "new writes a tool that checks and runs, and never overwrites" {
    errand tools new shout
    same "$status" 0
    same "$output" tools/shout.lua
    errand tools check tools/shout.lua
    same "$status" 0
    same "$output" 'tools/shout.lua: ok'
    errand tools call shout '{"text": "hello"}'
    same "$status" 0
    same "$output" hello
    cp tools/shout.lua before
    errand tools new shout
    same "$status" 1
    has "$stderr" 'tools/shout.lua is there already'
    cmp before tools/shout.lua
    errand tools new other --dir elsewhere
    same "$output" elsewhere/other.lua
}

@test "a name that cannot be one" {
    for name in ../x 'a b' '' "$(printf 'a%.0s' {1..65})"; do
        errand tools new "$name"
        same "$status" 2
        has "$stderr" 'cannot name a tool'
    done
}

@test "list and show" {
    errand tools new shout
    errand tools list
    same "$status" 0
    [[ $output =~ shout\ +pure\ +Repeat\ a\ text ]]
    errand tools list --json
    same "$(jq -r '.[] | select(.name == "shout") | .effect' \
        <<< "$output")" pure
    errand tools show shout
    has "$output" 'tools/shout.lua'
    [[ $output =~ text\ +string\ +what\ to\ repeat ]]
    errand tools show shout --json
    same "$(jq -r .parameters.type <<< "$output")" object
    errand tools show shuot
    same "$status" 1
    has "$stderr" 'did you mean shout?'
}

@test "check names file, line and everything that is wrong" {
    printf 'return {\n  name = "x"\n  description = "y",\n}\n' > x.lua
    errand tools check x.lua
    same "$status" 1
    [[ ${lines[0]} == x.lua:3:* ]]
    errand tools check --json x.lua
    same "$status" 1
    same "$(jq -r .ok <<< "$output")" false
    errand tools check nowhere.lua
    same "$status" 1
    has "$output$stderr" 'nowhere.lua'
}

@test "call: results, failures, arguments that do not fit" {
    mkdir tools
    cat > tools/pick.lua <<'END'
return {
  name = "pick",
  description = "Answer in several ways",
  parameters = {
    type = "object",
    properties = { how = { type = "string" } },
    required = { "how" },
  },
  effect = "pure",
  run = function(args)
    if args.how == "fail" then error("no such thing") end
    if args.how == "table" then return { a = 1 } end
    return "text"
  end,
}
END
    errand tools call pick '{"how": "table"}'
    same "$output" '{"a":1}'
    echo '{"how": "text"}' > args.json
    INPUT=args.json errand tools call pick -
    same "$output" text
    errand tools call pick --json '{"how": "text"}'
    same "$(jq -c '[.ok, .result]' <<< "$output")" '[true,"text"]'
    errand tools call pick '{"how": "fail"}'
    same "$status" 1
    same "$output" ''
    has "$stderr" 'no such thing'
    errand tools call pick '{"how": 5}'
    same "$status" 1
    has "$stderr" 'do not fit: /how: '
    errand tools call pick
    same "$status" 1
    has "$stderr" 'do not fit: missing required property "how"'
    [[ $stderr != *';' ]]
    errand tools call pick '{"how": '
    same "$status" 1
    has "$stderr" 'not valid JSON'
    errand tools call pikc '{}'
    same "$status" 1
    has "$stderr" 'pick'
}

@test "call: a tool that is stopped says where" {
    mkdir tools
    cat > tools/loop.lua <<'END'
return {
  name = "loop",
  description = "Never ends",
  parameters = { type = "object" },
  effect = "pure",
  timeout_ms = 200,
  run = function()
    while true do end
  end,
}
END
    errand tools call loop
    same "$status" 1
    has "$stderr" 'loop failed: the tool took too long and was stopped'
    has "$stderr" 'loop.lua:8: '
}

@test "check: a warning is no failure, an unknown line is not printed" {
    mkdir tools
    cat > tools/vague.lua <<'END'
return {
  name = "vague",
  description = "Take what it gets",
  parameters = { type = "object", properties = { what = {} } },
  effect = "pure",
  run = function() return 1 end,
}
END
    errand tools check tools/vague.lua
    same "$status" 0
    has "$output" 'tools/vague.lua: warning: '
    has "$output" 'tools/vague.lua: ok'
    [[ $output != *:0:* ]]
    errand tools call vague
    same "$output" 1
    [[ $stderr != *vague* ]]
    echo 'return { name = "x", parameters = { type = 5 } }' > bad.lua
    errand tools check bad.lua
    same "$status" 1
    [[ $output != *:0:* ]]
}

@test "--tools-dir adds a folder" {
    errand tools new far --dir elsewhere
    errand tools show far
    same "$status" 1
    errand tools show far --tools-dir elsewhere
    same "$status" 0
}

@test "a tool cannot touch the store or the configuration" {
    mkdir tools
    cat > tools/poke.lua <<'LUA'
return {
  name = "poke",
  description = "tries to change what it must not",
  parameters = {
    type = "object",
    properties = { path = { type = "string", description = "where" } },
  },
  permissions = { read = { "." }, write = { "." } },
  run = function(args, ctx)
    local ok, why = pcall(ctx.fs.write, args.path, "x")
    return ok and "written" or why
  end,
}
LUA
    export ERRAND_STORE="$PWD/errand.db"
    errand log list
    for path in errand.db errand.db-wal errand.db.lock errand.lua \
        tools/poke.lua tools/new.lua; do
        errand tools call poke --grant poke "{\"path\":\"$path\"}"
        has "$output" "it belongs to errand's store, configuration or tools"
    done
    errand tools call poke '{"path":"free.txt"}' --grant '*'
    has "$output" written
    same "$(cat free.txt)" x
}

@test "tools call --trace shows each step" {
    mkdir -p tools
    cat > tools/noted.lua <<'END'
return {
  name = "noted",
  description = "Keep a number",
  parameters = {
    type = "object",
    properties = { n = { type = "integer", description = "it" } },
    required = { "n" },
  },
  effect = "idempotent",
  permissions = { kv = true },
  run = function(args, ctx)
    ctx.log("about to keep")
    ctx.kv.set("n", args.n)
    return "kept"
  end,
}
END
    errand tools call noted '{"n": "4"}' --grant noted --trace
    same "$status" 0
    same "$output" kept
    has "$stderr" 'tool       noted, lua tools/noted.lua ('
    has "$stderr" 'grant      run: {"kv":true}'
    has "$stderr" 'arguments  {"n":4} (coerced'
    has "$stderr" 'worker     process '
    has "$stderr" 'log        "about to keep"'
    has "$stderr" 'asks       (1) kv {"key":"n","op":"set","value":4}'
    has "$stderr" 'answered   (1) yes'
    has "$stderr" 'ended      ok, '
    errand tools call noted '{"n": "x"}' --grant noted --trace
    same "$status" 1
    has "$stderr" 'arguments  {"n":"x"} do not fit the schema'
    errand tools call noted '{"n": 4}' --grant noted --trace --json
    same "$(jq -c '[.ok, .result, [.trace[].step]]' <<< "$output")" \
        '[true,"kept",["tool","grant","arguments","worker","log","asks","answered","ended"]]'
}

@test "check runs a file's examples" {
    errand tools new shout
    errand tools check tools/shout.lua
    same "$output" 'tools/shout.lua: ok'
    sed -i 's/result = "hello"/result = { 1 }/; s/error = "text"/error = "x!"/' \
        tools/shout.lua
    errand tools check tools/shout.lua
    same "$status" 1
    has "$output" 'tools/shout.lua:19: example 1 gave "hello", not [1]'
    has "$output" 'tools/shout.lua:19: example 2 gave the error "the arg'
    has "$output" 'not an error with "x!"'
    sed -i 's/result = { 1 }/result = 1, more = 2/' tools/shout.lua
    errand tools check tools/shout.lua
    has "$output" 'example 1 must have arguments, and either result or error'
    sed -i 's/  examples = {/  examples = 5, no = {/' tools/shout.lua
    errand tools check tools/shout.lua
    has "$output" ':19: examples must be a list: '
}

@test "check runs no example that lacks a grant or may change something" {
    mkdir tools
    printf 'abc' > there
    cat > tools/size.lua <<'END'
return { name = "size", description = "of there", effect = "read",
  permissions = { read = { "there" } },
  run = function(_, ctx) return { ctx.fs.stat("there").size } end,
  examples = { { result = { 3 } } } }
END
    errand tools check tools/size.lua
    same "$status" 0
    has "$output" 'size.lua:4: warning: its examples were not run: grant what'
    errand tools grant size
    errand tools check tools/size.lua
    same "$output" 'tools/size.lua: ok'
    cat > tools/put.lua <<'END'
return { name = "put", description = "a file",
  permissions = { write = { "." } },
  run = function(_, ctx) ctx.fs.write("made", "x") return 1 end,
  examples = { { result = 1 } } }
END
    errand tools grant put
    errand tools check tools/put.lua
    has "$output" 'examples were not run: a call of it may change something'
    [ ! -e made ]
}
