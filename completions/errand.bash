# bash completion for errand(1), made by: errand help --completion bash
_errand() {
    local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]}
    local prev=${COMP_WORDS[COMP_CWORD-1]} options=
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W 'run chat resume batch index search tools agents log models policy doctor debug version help --help --version' -- "$cur"))
        return
    fi
    case $cmd in
    tools)
        if [ "$COMP_CWORD" -eq 2 ]; then
            COMPREPLY=($(compgen -W 'list show check call grant revoke new' -- "$cur"))
            return
        fi
        cmd="tools ${COMP_WORDS[2]}" ;;
    agents)
        if [ "$COMP_CWORD" -eq 2 ]; then
            COMPREPLY=($(compgen -W 'list show check new' -- "$cur"))
            return
        fi
        cmd="agents ${COMP_WORDS[2]}" ;;
    log)
        if [ "$COMP_CWORD" -eq 2 ]; then
            COMPREPLY=($(compgen -W 'list show search export fork resolve rm' -- "$cur"))
            return
        fi
        cmd="log ${COMP_WORDS[2]}" ;;
    models)
        if [ "$COMP_CWORD" -eq 2 ]; then
            COMPREPLY=($(compgen -W 'list info bench pull' -- "$cur"))
            return
        fi
        cmd="models ${COMP_WORDS[2]}" ;;
    policy)
        if [ "$COMP_CWORD" -eq 2 ]; then
            COMPREPLY=($(compgen -W 'list check forget' -- "$cur"))
            return
        fi
        cmd="policy ${COMP_WORDS[2]}" ;;
    debug)
        if [ "$COMP_CWORD" -eq 2 ]; then
            COMPREPLY=($(compgen -W 'parse schema grammar render tokenize logits' -- "$cur"))
            return
        fi
        cmd="debug ${COMP_WORDS[2]}" ;;
    esac
    case "$cmd $prev" in
    'run --conversation'|'run -c') return ;;
    'run --agent'|'run -a')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --file'|'run -f')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --key') return ;;
    'run --model'|'run -m') return ;;
    'run --tools'|'run -t') return ;;
    'run --system'|'run -s') return ;;
    'run --param'|'run -p') return ;;
    'run --schema')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --functions')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --tool-choice') return ;;
    'run --record')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --replay')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --context') return ;;
    'run --threads') return ;;
    'run --kv')
        COMPREPLY=($(compgen -W 'f16 q8' -- "$cur"))
        return ;;
    'run --prefix-bytes') return ;;
    'run --lora')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --max-turns') return ;;
    'run --max-calls') return ;;
    'run --max-tokens-total') return ;;
    'run --max-seconds') return ;;
    'run --max-cost') return ;;
    'run --on-unknown')
        COMPREPLY=($(compgen -W 'ask fail retry' -- "$cur"))
        return ;;
    'run --approve') return ;;
    'run --ask') return ;;
    'run --deny') return ;;
    'run --grant') return ;;
    'run --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'run --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'chat --conversation'|'chat -c') return ;;
    'chat --model'|'chat -m') return ;;
    'chat --tools'|'chat -t') return ;;
    'chat --system'|'chat -s') return ;;
    'chat --param'|'chat -p') return ;;
    'chat --schema')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --functions')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --tool-choice') return ;;
    'chat --record')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --replay')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --context') return ;;
    'chat --threads') return ;;
    'chat --kv')
        COMPREPLY=($(compgen -W 'f16 q8' -- "$cur"))
        return ;;
    'chat --prefix-bytes') return ;;
    'chat --lora')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --max-turns') return ;;
    'chat --max-calls') return ;;
    'chat --max-tokens-total') return ;;
    'chat --max-seconds') return ;;
    'chat --max-cost') return ;;
    'chat --on-unknown')
        COMPREPLY=($(compgen -W 'ask fail retry' -- "$cur"))
        return ;;
    'chat --approve') return ;;
    'chat --ask') return ;;
    'chat --deny') return ;;
    'chat --grant') return ;;
    'chat --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'chat --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'resume --record')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'resume --replay')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'resume --context') return ;;
    'resume --threads') return ;;
    'resume --kv')
        COMPREPLY=($(compgen -W 'f16 q8' -- "$cur"))
        return ;;
    'resume --prefix-bytes') return ;;
    'resume --max-turns') return ;;
    'resume --max-calls') return ;;
    'resume --max-tokens-total') return ;;
    'resume --max-seconds') return ;;
    'resume --max-cost') return ;;
    'resume --on-unknown')
        COMPREPLY=($(compgen -W 'ask fail retry' -- "$cur"))
        return ;;
    'resume --approve') return ;;
    'resume --ask') return ;;
    'resume --deny') return ;;
    'resume --grant') return ;;
    'resume --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'resume --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'resume --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'resume --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'resume --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'resume --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'batch --jobs') return ;;
    'batch --output'|'batch -o')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --key') return ;;
    'batch --model'|'batch -m') return ;;
    'batch --tools'|'batch -t') return ;;
    'batch --system'|'batch -s') return ;;
    'batch --param'|'batch -p') return ;;
    'batch --schema')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --functions')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --tool-choice') return ;;
    'batch --record')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --replay')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --context') return ;;
    'batch --threads') return ;;
    'batch --kv')
        COMPREPLY=($(compgen -W 'f16 q8' -- "$cur"))
        return ;;
    'batch --prefix-bytes') return ;;
    'batch --lora')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --max-turns') return ;;
    'batch --max-calls') return ;;
    'batch --max-tokens-total') return ;;
    'batch --max-seconds') return ;;
    'batch --max-cost') return ;;
    'batch --on-unknown')
        COMPREPLY=($(compgen -W 'ask fail retry' -- "$cur"))
        return ;;
    'batch --approve') return ;;
    'batch --ask') return ;;
    'batch --deny') return ;;
    'batch --grant') return ;;
    'batch --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'batch --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'index --collection') return ;;
    'index --jobs') return ;;
    'index --limit'|'index -n') return ;;
    'index --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'index --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'index --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'index --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'index --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'index --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'search --collection') return ;;
    'search --path')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'search --kind')
        COMPREPLY=($(compgen -W 'text markdown html code jsonl csv pdf office' -- "$cur"))
        return ;;
    'search --limit'|'search -n') return ;;
    'search --per-document') return ;;
    'search --model'|'search -m') return ;;
    'search --record')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'search --replay')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'search --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'search --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'search --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'search --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'search --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'search --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'tools list --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools list --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools list --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools list --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools list --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools list --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'tools show --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools show --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools show --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools show --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools show --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools show --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'tools check --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools check --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools check --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools check --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools check --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools check --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'tools call --grant') return ;;
    'tools call --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools call --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools call --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools call --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools call --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools call --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'tools grant --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools grant --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools grant --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools grant --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools grant --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools grant --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'tools revoke --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools revoke --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools revoke --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools revoke --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools revoke --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'tools revoke --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'tools new --dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents list --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents list --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents list --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents list --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents list --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents list --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'agents show --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents show --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents show --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents show --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents show --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents show --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'agents check --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents check --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents check --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents check --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents check --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'agents check --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'agents new --dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log list --state')
        COMPREPLY=($(compgen -W 'ready tools paused done failed' -- "$cur"))
        return ;;
    'log list --conversation'|'log list -c') return ;;
    'log list --limit'|'log list -n') return ;;
    'log list --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log list --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log list --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log list --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log list --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log list --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'log show --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log show --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log show --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log show --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log show --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log show --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'log search --limit'|'log search -n') return ;;
    'log search --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log search --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log search --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log search --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log search --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log search --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'log export --format')
        COMPREPLY=($(compgen -W 'md json html' -- "$cur"))
        return ;;
    'log export --output'|'log export -o')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log export --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log export --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log export --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log export --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log export --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log export --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'log fork --at') return ;;
    'log fork --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log fork --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log fork --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log fork --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log fork --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log fork --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'log resolve --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log resolve --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log resolve --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log resolve --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log resolve --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log resolve --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'log rm --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log rm --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log rm --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log rm --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log rm --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'log rm --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'models info --context') return ;;
    'models bench --prompt') return ;;
    'models bench --answer') return ;;
    'models bench --rounds') return ;;
    'models bench --threads') return ;;
    'models pull --dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'models pull --checksum') return ;;
    'models pull --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'models pull --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'models pull --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'models pull --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'models pull --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'models pull --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'policy list --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy list --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy list --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy list --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy list --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy list --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'policy check --approve') return ;;
    'policy check --ask') return ;;
    'policy check --deny') return ;;
    'policy check --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy check --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy check --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy check --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy check --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy check --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'policy forget --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy forget --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy forget --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy forget --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy forget --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'policy forget --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'doctor --store')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'doctor --config')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'doctor --tools-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'doctor --plugin')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'doctor --plugins-dir')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'doctor --sync')
        COMPREPLY=($(compgen -W 'full normal' -- "$cur"))
        return ;;
    'debug parse --format')
        COMPREPLY=($(compgen -W 'llama3 hermes mistral openai openai-sse workers-ai workers-ai-sse' -- "$cur"))
        return ;;
    'debug schema --draft')
        COMPREPLY=($(compgen -W '2020-12 7' -- "$cur"))
        return ;;
    'debug render --model'|'debug render -m')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'debug tokenize --model'|'debug tokenize -m')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'debug logits --model'|'debug logits -m')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'debug logits --lora')
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    'help --completion')
        COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur"))
        return ;;
    esac
    case $cmd in
    'run') options='--conversation -c --last --agent -a --file -f --key --model -m --tools -t --system -s --param -p --schema --functions --tool-choice --no-stream --prompt-form --record --replay --context --threads --kv --prefix-bytes --lora --max-turns --max-calls --max-tokens-total --max-seconds --max-cost --on-unknown --approve --ask --deny --wait-approval --grant --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --events --quiet -q --verbose -v --help -h' ;;
    'chat') options='--conversation -c --last --model -m --tools -t --system -s --param -p --schema --functions --tool-choice --no-stream --prompt-form --record --replay --context --threads --kv --prefix-bytes --lora --max-turns --max-calls --max-tokens-total --max-seconds --max-cost --on-unknown --approve --ask --deny --wait-approval --grant --store --config --no-config --tools-dir --plugin --plugins-dir --sync --quiet -q --verbose -v --help -h' ;;
    'resume') options='--all --record --replay --context --threads --kv --prefix-bytes --max-turns --max-calls --max-tokens-total --max-seconds --max-cost --on-unknown --approve --ask --deny --wait-approval --grant --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --events --quiet -q --verbose -v --help -h' ;;
    'batch') options='--jobs --output -o --key --model -m --tools -t --system -s --param -p --schema --functions --tool-choice --no-stream --prompt-form --record --replay --context --threads --kv --prefix-bytes --lora --max-turns --max-calls --max-tokens-total --max-seconds --max-cost --on-unknown --approve --ask --deny --wait-approval --grant --store --config --no-config --tools-dir --plugin --plugins-dir --sync --quiet -q --verbose -v --help -h' ;;
    'index') options='--collection --list --remove --again --hidden --jobs --limit -n --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'search') options='--collection --path --kind --limit -n --per-document --answer --model -m --record --replay --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'tools list') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'tools show') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'tools check') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'tools call') options='--grant --trace --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'tools grant') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --quiet -q --verbose -v --help -h' ;;
    'tools revoke') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --quiet -q --verbose -v --help -h' ;;
    'tools new') options='--dir --c --help -h' ;;
    'agents list') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'agents show') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'agents check') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'agents new') options='--dir --help -h' ;;
    'log list') options='--state --conversation -c --limit -n --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'log show') options='--tree --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'log search') options='--limit -n --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'log export') options='--format --html --output -o --store --config --no-config --tools-dir --plugin --plugins-dir --sync --quiet -q --verbose -v --help -h' ;;
    'log fork') options='--at --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'log resolve') options='--done --not-done --approve --refuse --store --config --no-config --tools-dir --plugin --plugins-dir --sync --quiet -q --verbose -v --help -h' ;;
    'log rm') options='--yes -y --store --config --no-config --tools-dir --plugin --plugins-dir --sync --quiet -q --verbose -v --help -h' ;;
    'models list') options='--json --quiet -q --verbose -v --help -h' ;;
    'models info') options='--context --json --quiet -q --verbose -v --help -h' ;;
    'models bench') options='--prompt --answer --rounds --threads --json --quiet -q --verbose -v --help -h' ;;
    'models pull') options='--dir --checksum --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'policy list') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'policy check') options='--approve --ask --deny --tainted --store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'policy forget') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --quiet -q --verbose -v --help -h' ;;
    'doctor') options='--store --config --no-config --tools-dir --plugin --plugins-dir --sync --json --quiet -q --verbose -v --help -h' ;;
    'debug parse') options='--format --jsonl --help -h' ;;
    'debug schema') options='--draft --formats --jsonl --help -h' ;;
    'debug grammar') options='--jsonl --help -h' ;;
    'debug render') options='--model -m --jsonl --help -h' ;;
    'debug tokenize') options='--model -m --special --jsonl --help -h' ;;
    'debug logits') options='--model -m --lora --exact --jsonl --help -h' ;;
    'version') options='--help -h' ;;
    'help') options='--completion --table --help -h' ;;
    esac
    case $cur in
    -*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
    esac
}
complete -o filenames -F _errand errand
