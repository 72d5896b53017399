/**
 * What each shell reads once: it hands the words before the cursor to the command, a line each, for two seconds at the most. A line
 * `:files` in the answer leaves it to the shell to complete paths.
 */

const BASH = `# bash: source <(tidepool completion bash)
_tidepool() {
  local IFS=$'\\n'
  local words="\${COMP_WORDS[*]:1:COMP_CWORD}"
  COMPREPLY=($(TIDEPOOL_WORDS="$words" timeout 2 "\${COMP_WORDS[0]}" completion words 2>/dev/null))
  if [ "\${COMPREPLY[0]:-}" = :files ]; then
    COMPREPLY=()
    compopt -o default 2>/dev/null
  fi
  return 0
}
complete -F _tidepool tidepool
`

const ZSH = `#compdef tidepool
# zsh: source <(tidepool completion zsh)
_tidepool() {
  local -a found
  found=(\${(f)"$(TIDEPOOL_WORDS="\${(F)words[2,CURRENT]}" timeout 2 $words[1] completion words 2>/dev/null)"})
  if [[ $found[1] == :files ]]; then
    _files
  elif (( $#found )); then
    compadd -- $found
  fi
}
compdef _tidepool tidepool
`

const FISH = `# fish: tidepool completion fish | source
function __tidepool_words
  set -l given (commandline -opc) (commandline -ct)
  set -lx TIDEPOOL_WORDS (begin
    printf %s $given[2]
    test (count $given) -gt 2; and printf '\\n%s' $given[3..-1]
  end | string collect -N)
  set -l found (timeout 2 $given[1] completion words 2>/dev/null)
  if test "$found[1]" = :files
    __fish_complete_path $given[-1]
  else
    string join \\n -- $found
  end
end
complete -c tidepool -f -a '(__tidepool_words)'
`

export const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH }
