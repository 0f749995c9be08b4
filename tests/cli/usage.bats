#!/usr/bin/env bats
# Wrong usage: status 2, nothing on standard output, one line that says what
# is wrong and what to do.
load helper

setup() { own_folder; }

# wrong MESSAGE ARGUMENT...
wrong() {
    local want=$1
    shift
    errand "$@"
    same "$status" 2
    same "$output" ""
    has "$stderr" "$want"
    has "$stderr" "errand: "
    same "${#stderr_lines[@]}" 1
    [ ! -e errand.db ] # it was said before any work
}

@test "an unknown option names the nearest" {
    wrong 'no option --modle; did you mean --model?' run --modle x hi
    wrong 'no option --jsno; did you mean --json?' log list --jsno
    wrong 'no option --xyzzy; errand help run lists' run --xyzzy hi
    wrong 'run has no option -z' run -z hi
    wrong 'doctor has no option --model' doctor --model x
}

@test "a text that begins with a dash needs --" {
    wrong '-- in front of a word makes it text' run -5 degrees
}

@test "values are checked against the option's kind" {
    wrong '--model needs a value: --model MODEL' run hi --model
    wrong '--json takes no value, but got "yes"' run --json=yes hi
    wrong 'a whole number from 1 to 1000000, not "abc"' \
        run --max-turns abc hi
    wrong 'a whole number from 1 to 1000000, not "0"' run --max-turns=0 hi
    wrong 'not "99999999999999999999"' run --max-turns=99999999999999999999 x
    wrong '--max-cost must be a number above 0' run --max-cost nan hi
    wrong 'one of full|normal, not "ful"; did you mean full?' \
        run --sync ful hi
    wrong 'not "xml"' log export x --format xml
    wrong 'KEY=VALUE, as temperature=0.2, not "warm"' run -p warm hi
    wrong '--tools none cannot stand beside' run -t now,none hi
}

@test "a list has a limit" {
    local many=() i
    for ((i = 0; i < 65; i++)); do many+=(-p "a$i=1"); done
    wrong 'given more than 64 times' run "${many[@]}" hi
}

@test "an unknown command names the nearest, or how to ask" {
    wrong 'did you mean errand run?' rnu
    wrong 'did you mean errand tools list?' tools lst
    wrong 'errand help tools lists' tools
    wrong 'did you mean errand log export?' export words
    wrong 'write errand run "what time is it"' 'what time is it'
    wrong 'the command comes first' --json
    wrong 'did you mean errand run?' help rnu
}

@test "words that are missing or too many" {
    wrong 'log show needs to know what: errand log show ID' log show
    wrong 'does not know what to do with "extra"' doctor extra
    wrong 'debug parse needs --format NAME' debug parse '{}'
    wrong 'leave "{}" out' debug schema --jsonl '{}'
    wrong 'there is nothing to ask' run
    wrong 'there is nothing to ask' run '   '
}

@test "options that contradict each other" {
    wrong '--json and --events' run --json --events hi
    wrong '--last and --conversation' run --last -c 01 hi
    wrong '--last and --conversation' chat --last -c 01
    wrong '--config and --no-config' run --config x --no-config hi
    wrong '--all is for every run' resume 01 --all
    wrong 'say what became of the call' log resolve x
    wrong 'say what became of the call' log resolve x --done --not-done
    wrong 'leave "text" out' log resolve x --not-done text
}

@test "log rm removes nothing unasked" {
    wrong 'errand log rm 01 --yes removes' log rm 01
}

@test "control characters in what was given do not reach a terminal" {
    run script -qec $'exec errand run --model=x --bad\e[2Joption' /dev/null
    has "$output" 'no option --badoption'
    [[ $output != *$'\e'* ]]
}

@test "options may stand anywhere, joined or apart" {
    errand help --table
    same "$status" 0
    local table=$output
    errand --help
    same "$status" 0
    errand run hi --sync=normal -qv --help
    same "$status" 0
    has "$output" 'Usage: errand run'
    errand run -mx --no-stream --stream --no-json --help hi
    same "$status" 0
    errand run --help=1
    same "$status" 2
}
