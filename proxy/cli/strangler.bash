# Completion for bash: commands, options, and the modules and endpoints of the running proxy. Source
# this file, or install it as share/bash-completion/completions/strangler.
_strangler()
{
    local IFS=$'\n'
    COMPREPLY=($("${COMP_WORDS[0]}" complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null))
}
complete -o default -F _strangler strangler
