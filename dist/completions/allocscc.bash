# allocscc and allocscc++ take the options of gcc, -Wallocs, -gallocs and -fallocs-alloca.        -*- shell-script -*-
# The completion of gcc comes with the bash-completion package, in one of two spellings.
_allocscc()
{
    if declare -F _comp_load >/dev/null; then
        declare -F _comp_cmd_gcc >/dev/null || _comp_load gcc
        _comp_cmd_gcc "$@"
    elif declare -F _completion_loader >/dev/null; then
        declare -F _gcc >/dev/null || _completion_loader gcc
        _gcc "$@"
    fi
    local option
    for option in -Wallocs -gallocs -fallocs-alloca; do
        if [[ $2 == -??* && $option == "$2"* ]]; then
            COMPREPLY+=("$option")
        fi
    done
} &&
    complete -F _allocscc -o bashdefault -o default allocscc allocscc++
