# fish completion for jobman, see jobman help completion.

function __jobman_complete
    set -l words (commandline -opc)
    set -l raw (commandline -ct)
    set -l last (string unescape -- $raw; or string unescape -- $raw"'"; or string unescape -- $raw'"'; or echo -- $raw)[1]
    set -l answer ($words[1] __complete fish '' $words[2..] "$last" 2>/dev/null)
    for line in $answer[2..]
        echo -- $line
    end
    switch "$answer[1]"
        case files
            __jobman_paths "$raw" .
        case dirs
            __jobman_paths "$raw" /
        case 'command *'
            set -l n (string replace 'command ' '' -- $answer[1])
            complete -C (string join ' ' -- (string escape -- $words[(math $n + 2)..]) "$raw")
    end
end

# Files, or directories, for a word that may begin with --flag=.
function __jobman_paths
    set -l flag (string match -r -- '^--[^=]*=' $argv[1])
    set -l begin (string replace -r -- '^--[^=]*=' '' $argv[1])
    for path in (complete -C "ls -- $begin" | string replace -r '\t.*' '')
        if test $argv[2] = .; or string match -q -- '*/' $path
            echo -- "$flag$path"
        end
    end
end

complete -c jobman -k -f -a '(__jobman_complete)'
