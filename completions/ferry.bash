# bash completion for ferry:  source <(ferry completion bash)
# Ferry is asked what can stand there. The words go to it as arguments and are never evaluated: a TAB behind $(...) does not run it.

_ferry_complete() {
  local rest=${COMP_LINE:0:COMP_POINT} words=() word lead kept line found i
  # Bash cuts words at = and : too. Put together again what no blank parts.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    lead=${rest%%[![:space:]]*}
    rest=${rest#"$lead"}
    word=${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then word=$rest; fi
    rest=${rest#"$word"}
    if [[ -z $lead && ${#words[@]} -gt 0 ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
  done
  # Bash puts the answer in place of its own last word alone.
  word=${words[${#words[@]} - 1]}
  kept=${word%"$2"}
  words=("${words[@]//[\"\'\\]/}")

  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files* | :folders)
        compopt -o filenames 2>/dev/null
        while IFS= read -r found; do
          # The line holds the endings to offer; with none, any will do. Folders lead on.
          if [[ $line == :files || -d ${found/#\~/$HOME} || " ${line#* } " == *" ${found##*.} "* ]]; then
            COMPREPLY+=("$found")
          fi
        done < <(compgen -f -- "$2")
        ;;
      *)
        line=${line%%$'\t'*}
        COMPREPLY+=("${line#"$kept"}")
        if [[ $line == *[=:] ]]; then compopt -o nospace 2>/dev/null; fi
        ;;
    esac
  done < <("$1" __complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _ferry_complete ferry
