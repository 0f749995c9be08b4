#!/usr/bin/env bats
# errand agents and errand run -a: settings, scripts, their steps.
load helper

setup_file() { start_endpoint; }
teardown_file() { stop_endpoint; }

setup() {
    own_folder
    tick_tool
    mkdir -p agents
}

# agent NAME: the file from standard input
agent() { cat > "agents/$1.lua"; }

@test "new writes an agent that checks and is listed" {
    errand agents new three
    same "$status" 0
    same "$output" agents/three.lua
    errand agents check three
    same "$output" 'three: ok'
    errand agents list
    [[ $output =~ three\ +script\ +Say\ three\ things ]]
    errand agents show three
    has "$output" 'topic'
    has "$output" 'must be given'
    errand agents new three
    same "$status" 1
    has "$stderr" 'is there already'
    errand agents new ../x
    same "$status" 2
}

@test "settings alone: texts with parameters, and who answers" {
    agent short <<'END'
return {
  description = "short",
  model = "openai:echo",
  system = "Say it in {{language}}.",
  prompt = "<{{prompt}}> in {{language}} {{other}}",
  parameters = { type = "object", properties = {
    language = { type = "string", default = "English" } } },
}
END
    errand run -a short hello
    same "$status" 0
    same "$output" '<hello> in English {{other}}'
    errand run -a short -p language=Greek -p temperature=0 hello
    same "$output" '<hello> in Greek {{other}}'
    errand run -a ./agents/short.lua -m openai:echo there
    same "$output" '<there> in English {{other}}'
}

@test "a script: steps, a map in order, state, errors it can catch" {
    agent script <<'END'
return {
  description = "steps",
  model = "openai:echo",
  tools = { "tick" },
  run = function(ctx, input)
    ctx.log("it begins")
    local said = ctx.map({ "a", "b", "c", "d", "e" }, function(x, i)
      return ctx.ask(x .. i)
    end, { at_once = 2 })
    local before = ctx.state.get("runs", 0)
    ctx.state.set("runs", before + 1)
    local ok, why = pcall(ctx.tool, "hammer", { n = 1 })
    local keys = {}
    for key in pairs({ z = 1, a = 2, [2] = 3, [1] = 4 }) do
      keys[#keys + 1] = tostring(key)
    end
    return { said = said, before = before, tick = ctx.tool("tick", { n = 7 }),
      ok = ok, why = why, keys = table.concat(keys), prompt = input.prompt }
  end,
}
END
    errand run -q -a script over
    same "$status" 0
    same "$(jq -c .said <<< "$output")" '["a1","b2","c3","d4","e5"]'
    same "$(jq -r .before <<< "$output")" 0
    same "$(jq -r .keys <<< "$output")" 12az
    same "$(jq -r .ok <<< "$output")" false
    has "$(jq -r .why <<< "$output")" 'step 4 (tool): the agent may not use'
    same "$(jq -r .prompt <<< "$output")" over
    errand run -q -a script over
    same "$(jq -r .before <<< "$output")" 1
    errand log list --json
    same "$(jq length <<< "$output")" 2 # the steps' runs are not among them
}

@test "an agent as a step of another, and answers that fit a schema" {
    agent inner <<'END'
return { description = "inner",
  parameters = { type = "object", properties = {
    n = { type = "integer" } }, required = { "n" } },
  run = function(ctx, input)
    return { twice = input.n * 2, said = ctx.ask("inner " .. input.prompt) }
  end }
END
    agent outer <<'END'
return { description = "outer", model = "openai:echo",
  run = function(ctx)
    local a = ctx.agent("inner", { n = 21, prompt = "x" })
    local ok, why = pcall(ctx.agent, "inner", { m = 1 })
    local ok2, why2 = pcall(ctx.agent, "iner", {})
    return { a = a.twice, said = a.said, why = why, why2 = why2 }
  end }
END
    errand run -q -a outer
    same "$status" 0
    same "$(jq -r .a <<< "$output")" 42
    same "$(jq -r .said <<< "$output")" 'inner x'
    has "$(jq -r .why <<< "$output")" 'it takes n'
    has "$(jq -r .why2 <<< "$output")" 'did you mean inner'
}

@test "a person's yes may come later" {
    agent asks <<'END'
return { description = "asks", tools = { "tick" },
  run = function(ctx)
    local first = ctx.tool("tick", { n = 1 })
    local yes, why = ctx.confirm("Go on?")
    return (yes and "yes" or "no") .. " " .. (why or "")
  end }
END
    for answer in --approve --refuse; do
        errand run -q --json -a asks
        same "$status" 3
        same "$(jq -r .error.reason <<< "$output")" approval
        run_id=$(jq -r .run <<< "$output")
        call=$(grep -o 'resolve [0-9a-f-]*' <<< "$output" | head -1)
        errand log resolve "${call#resolve }" $answer
        same "$status" 0
        errand resume -q "$run_id"
        same "$status" 0
        case $answer in
        --approve) same "$output" 'yes ' ;;
        --refuse) [[ $output == 'no '?* ]] ;;
        esac
    done
}

@test "what was changed meanwhile is told where it parts" {
    agent parts <<'END'
return { description = "parts", tools = { "tick" },
  run = function(ctx)
    ctx.tool("tick", { n = 1 })
    ctx.confirm("Go on?")
  end }
END
    errand run -q --json -a parts
    run_id=$(jq -r .run <<< "$output")
    sed -i 's/n = 1/n = 2/' agents/parts.lua
    errand resume "$run_id"
    same "$status" 1
    has "$stderr" 'step 1 is now tool {"arguments":{"n":2},"tool":"tick"}'
    has "$stderr" 'stored is tool {"arguments":{"n":1},"tool":"tick"}'
    sed -i 's/n = 2/n = 1/; s/ctx.confirm/ctx.log("more") ctx.confirm/' \
        agents/parts.lua
    errand resume "$run_id" # a line of the log moves nothing
    same "$status" 3
    sed -i 's/^ *ctx.tool.*$//; s/ctx.confirm.*$//' agents/parts.lua
    errand resume "$run_id"
    same "$status" 1
    has "$stderr" 'it ended without step 1, which is stored'
}

@test "a run drawn as a tree, and as a page that escapes everything" {
    agent drawn <<'END'
return { description = "drawn", model = "openai:echo", tools = { "tick" },
  run = function(ctx)
    ctx.map({ 1, 2 }, function(i) return ctx.tool("tick", { n = i }) end)
    return ctx.ask("<script>alert('x')</script>")
  end }
END
    errand run -q -a drawn '<b>bold</b>'
    same "$status" 0
    errand log list --json
    id=$(jq -r '.[0].id' <<< "$output")
    errand log show "$id" --tree
    same "$status" 0
    has "$output" '1 map {"items":2}'
    has "$output" '│  ├─ 1.1.1 tool'
    has "$output" '   └─ turn of openai:echo'
    errand log export "$id" --html -o page.html
    same "$status" 0
    has "$(cat page.html)" '&lt;script&gt;alert(&#39;x&#39;)'
    ! grep -q '<script' page.html
    ! grep -q '<b>' page.html
    ! grep -qE '(src|href)=' page.html
}

@test "what a script cannot do, it is told" {
    try() { # CODE WANTED
        printf 'return { description = "x", run = function(ctx) %s end }' \
            "$1" > agents/wrong.lua
        errand run -q -a wrong
        same "$status" 1
        has "$stderr" "$2"
    }
    try 'return os.time()' 'ctx.now() is stored'
    try 'return math.random()' 'ctx.random() is stored'
    try 'return ctx.fs' 'a script reaches nothing itself'
    try 'return ctx.foo()' 'there is no ctx.foo'
    try 'ctx.ask{ prompt = "x", colour = 1 }' 'unknown option "colour"'
    try 'ctx.ask("")' 'the prompt is empty'
    try 'ctx.map({1}, function() end, { at_once = 0 })' 'it must be 1 to 64'
    try 'coroutine.wrap(function() ctx.now() end)()' 'ctx.map runs things'
    try 'string.gsub("a", "a", function() ctx.now() end)' 'cannot wait here'
    try 'coroutine.yield()' 'outside of a coroutine'
    try 'for k in pairs({ [{}] = 1 }) do end' 'no order that is the same'
    try 'error("oh no")' 'wrong.lua:1: oh no'
    try 'return nil, "I will not"' 'I will not'
    try 'ctx.map({1, 2}, function(i) error("item " .. i) end)' 'item 1'
    try 'return { f = print }' 'result.f'
}

@test "files that are wrong, and names that are not there" {
    check() { # TEXT WANTED
        printf '%s' "$1" > agents/wrong.lua
        errand agents check wrong
        same "$status" 1
        has "$output" "$2"
    }
    check 'return 1' 'must return a table'
    check 'return { description = "x", colour = 1 }' 'colour'
    check $'return {\n  description = "x",\n  tools = "tick",\n}' 'wrong:3:'
    check 'return { description = "x", run = 1 }' 'run must be a function'
    check 'return {' 'wrong:1:'
    check 'return { description = "x", parameters = { type = "array" } }' \
        'parameters'
    check 'return { description = "x", name = "other" }' 'the file'
    check 'return { description = "x", parameters = { type = "object",
        properties = { prompt = { type = "string" } } } }' 'parameters'
    errand agents list
    has "$output" '(wrong)'
    errand run -a rong
    same "$status" 1
    has "$stderr" 'did you mean wrong'
    errand run -a nothing
    has "$stderr" 'errand agents list'
    errand run -a ./nothing.lua
    has "$stderr" './nothing.lua'
}
