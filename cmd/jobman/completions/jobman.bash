# bash completion for jobman, see jobman help completion.

# _jobman_command N: what the line would offer if it began with word N of COMP_WORDS.
_jobman_command() {
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif (( COMP_CWORD == $1 )); then
        _jobman_lines "$(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")"
    else
        compopt -o default 2>/dev/null
    fi
}

# _jobman_lines TEXT: adds its lines to what is offered.
_jobman_lines() {
    local line
    while IFS= read -r line; do
        [[ $line ]] && COMPREPLY+=("$line")
    done <<<"$1"
}

_jobman() {
    COMPREPLY=()
    # Readline takes words apart at = and : as well; here they are one again, and kept
    # is what it keeps of the last one.
    local -a words=() at=()
    local i word rest=${COMP_LINE:0:COMP_POINT} kept=
    for (( i = 0; i <= COMP_CWORD; i++ )); do
        if [[ $i == 0 || $rest == [[:space:]]* ]]; then
            rest=${rest#"${rest%%[![:space:]]*}"}
            words+=('') at+=("$i")
        fi
        word=${COMP_WORDS[i]}
        (( i == COMP_CWORD )) && word=$rest
        rest=${rest#"$word"}
        kept=${words[${#words[@]} - 1]}
        words[${#words[@]} - 1]+=$word
    done
    [[ $word == [=:]* ]] && kept+=${word%%[!=:]*}

    local answer also n line
    answer=$("${COMP_WORDS[0]}" __complete bash "$kept" "${words[@]:1}" 2>/dev/null) || return
    also=${answer%%$'\n'*}
    case $also in
    files) compopt -o default 2>/dev/null ;;
    dirs)
        compopt -o filenames 2>/dev/null
        local cur=${words[${#words[@]} - 1]}
        _jobman_lines "$(compgen -d -- "${cur#"$kept"}")"
        ;;
    command*)
        n=$(( ${also#command } + 1 ))
        _jobman_command "${at[n]}"
        ;;
    esac
    [[ $answer == *$'\n'* ]] || return
    while IFS= read -r line; do
        [[ $line ]] && COMPREPLY+=("${line%%$'\t'*}")
    done <<<"${answer#*$'\n'}"
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}

complete -o nosort -F _jobman jobman 2>/dev/null || complete -F _jobman jobman
