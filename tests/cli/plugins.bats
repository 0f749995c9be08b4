#!/usr/bin/env bats
# Plugins: found by name and by file, only when somebody asks, configured,
# new, checked and called.
load helper

setup() {
    own_folder
    fixtures="$BUILD/tests/plugins"
    mkdir plugins
}

config() { printf 'return { plugins = %s }\n' "$1" > errand.lua; }

@test "a plugin is not loaded because it lies there" {
    cp "$fixtures/answers.so" plugins/
    errand tools list --json
    same "$(jq '[.[] | select(.source == "plugin")] | length' <<< "$output")" 0
    errand tools list --json --plugin answers
    same "$(jq '[.[] | select(.source == "plugin")] | length' <<< "$output")" 10
}

@test "found in plugins, the user's folder, --plugins-dir, beside errand" {
    cp "$fixtures/answers.so" plugins/
    errand tools call echo '{"a": 1}' --plugin answers
    same "$output" '{"a":1}'
    mkdir -p "$HOME/.config/errand"
    mv plugins "$HOME/.config/errand/plugins"
    errand tools call echo '{"a": 2}' --plugin answers
    same "$output" '{"a":2}'
    mv "$HOME/.config/errand/plugins" other
    errand tools call echo '{}' --plugin answers
    same "$status" 1
    has "$stderr" 'there is no plugin "answers": no answers.so in plugins, '
    errand tools call echo '{"a": 3}' --plugin answers --plugins-dir other
    same "$output" '{"a":3}'
    errand tools call word_count '{"text": "a b"}' --plugin template
    same "$output" '{"words":2,"of_1":2}'
}

@test "by file, and twice is once" {
    errand tools call echo '{"a": 1}' --plugin "$fixtures/answers.so" \
        --plugin "$fixtures/answers.so"
    same "$output" '{"a":1}'
}

@test "configured in errand.lua" {
    config "{ answers = { file = '$fixtures/answers.so', greeting = 'hi' } }"
    errand tools call facts
    same "$status" 0
    has "$output" 'self hi'
    config "{ answers = { file = '$fixtures/answers.so', greeting = 5 } }"
    errand tools call facts
    same "$status" 2
    has "$stderr" 'plugins.answers.greeting'
    cp "$fixtures/answers.so" plugins/
    config '{ "answers" }'
    errand tools call facts
    has "$output" 'self none'
    config '{ answers = false }'
    errand tools call facts
    same "$status" 1
}

@test "inproc is for the user's own configuration" {
    cp "$fixtures/answers.so" plugins/
    config '{ answers = { inproc = true, greeting = "in" } }'
    errand tools call facts
    same "$status" 2
    has "$stderr" "put it into the user's errand.lua"
    errand tools call facts --config errand.lua
    same "$status" 0
    has "$output" 'self in'
    has "$(errand_alone tools call facts --config errand.lua)" 'self in'
}

@test "each way to be no plugin has its message" {
    echo 'not one' > text.so
    errand tools list --plugin ./none.so
    has "$stderr" 'cannot read the plugin ./none.so'
    errand tools list --plugin ./text.so
    has "$stderr" './text.so is not a shared object'
    errand tools list --plugin "$fixtures/no_entry.so"
    has "$stderr" 'has no function errand_plugin_main'
    errand tools list --plugin "$fixtures/no_symbol.so"
    has "$stderr" 'nobody_has_this'
    errand tools list --plugin "$fixtures/other.so"
    has "$stderr" 'is built for errand/tool.h 3.7, this errand has 1.'
    same "$status" 1
    cp "$fixtures/older.so" again.so
    errand tools list --plugin "$fixtures/older.so" --plugin ./again.so
    has "$stderr" 'two tools are named older, rename one: '
    has "$stderr" './again.so'
}

@test "check says everything that is wrong with one" {
    errand tools check "$fixtures/all_wrong.so"
    same "$status" 1
    [ "${#lines[@]}" -ge 16 ]
    has "$output" 'all_wrong.so: a name: timeout_ms 3600001 is over 3600000'
    errand tools check "$fixtures/answers.so"
    same "$status" 0
    has "$output" 'answers.so: ok'
    errand tools check "$fixtures/answers.so" --json
    same "$(jq -r '.tools[2].name' <<< "$output")" facts
}

@test "new --c writes a plugin that builds, checks and runs" {
    errand tools new shout --c
    same "$status" 0
    same "$output" plugins/shout.c
    ${CC:-cc} -Wall -Wextra -Werror -I"$ROOT/runtime/include" -shared -fPIC \
        -fvisibility=hidden -o plugins/shout.so plugins/shout.c
    errand tools check plugins/shout.so
    same "$output" 'plugins/shout.so: ok'
    errand tools call shout '{"text": "one two"}' --plugin shout
    same "$output" '{"words":2,"of_3":2}'
    errand tools new shout --c
    same "$status" 1
    has "$stderr" 'plugins/shout.c is there already'
}

@test "a plugin whose folder holds the store is not run" {
    printf abc > abc.txt
    errand tools call hash_file '{"path": "abc.txt"}' --plugin hash_file
    same "$status" 1
    has "$stderr" "errand's store lies in a folder that is granted"
    has "$stderr" 'keep the store elsewhere (--store)'
    errand tools call hash_file '{"path": "abc.txt"}' --plugin hash_file \
        --store "$HOME/apart.db"
    has "$output" ba7816bf
}
