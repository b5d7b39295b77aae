#compdef jobman
# zsh completion for jobman, see jobman help completion.

_jobman() {
    local -a answer before values shown
    local line n
    (( CURRENT > 2 )) && before=("${(@Q)words[2,CURRENT-1]}")
    answer=("${(@f)$(${(Q)words[1]} __complete zsh '' "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}")
    case $answer[1] in
    files)
        [[ $PREFIX == --*=* ]] && compset -P '*='
        _files
        ;;
    dirs)
        [[ $PREFIX == --*=* ]] && compset -P '*='
        _files -/
        ;;
    esac
    for line in "${(@)answer[2,-1]}"; do
        [[ -n $line ]] || continue
        values+=("${line%%$'\t'*}")
        if [[ $line == *$'\t'* ]]; then
            shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
        else
            shown+=("$line")
        fi
    done
    local -a space
    [[ "${(@)values:#*=}" == '' ]] && space=(-S '') # its value follows
    (( $#values )) && compadd "$space[@]" -l -V jobman -d shown -a values
    if [[ $answer[1] == command\ * ]]; then
        n=${answer[1]#command }
        words=("${(@)words[n+2,-1]}")
        (( CURRENT -= n + 1 ))
        _normal
    fi
}

if [[ $funcstack[1] == _jobman ]]; then
    _jobman "$@"
else
    compdef _jobman jobman
fi
