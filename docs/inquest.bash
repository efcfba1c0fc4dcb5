# SPDX-License-Identifier: Apache-2.0
# bash completion for inquest(1)

_inquest_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_inquest_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

_inquest() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' i
    local options='--json --all --sysroot --debug-dir --debuginfod --executable --trust-paths --stacks --engine --signatures
        --pattern --redact --timeout --max-memory --jobs --young --recursive --no-recursive --require-sandbox
        --no-sandbox --no-store --klog --try --pid --unit --color --quiet --verbose --version --help'

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        doctor | klog | libs | scan | triage | signatures)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done
    case $prev in
    --engine) _inquest_words 'libunwind dwfl ucd' "$cur" && return ;;
    --redact) _inquest_words 'default none strict' "$cur" && return ;;
    --color) _inquest_words 'auto always never' "$cur" && return ;;
    --sysroot | --debug-dir | --signatures) _inquest_files -d "$cur" && return ;;
    --klog | --executable) _inquest_files -f "$cur" && return ;;
    --pattern | --pid | --unit | --timeout | --max-memory | --jobs | -j) return ;;
    esac
    if [[ $cur == -* ]]; then
        _inquest_words "$options" "$cur"
    elif [[ -z $command ]]; then
        _inquest_words 'doctor klog libs scan signatures triage' "$cur"
    elif [[ $command == signatures && $prev == signatures ]]; then
        _inquest_words 'list show check test explain' "$cur"
    elif [[ $command == signatures && ( $prev == show || $prev == explain ) ]]; then
        _inquest_words "$(inquest signatures list -q 2>/dev/null | sed -n 's/^\([a-z0-9-]*\)  .*/\1/p')" "$cur"
    else
        _inquest_files -f "$cur"
    fi
}

complete -F _inquest inquest
