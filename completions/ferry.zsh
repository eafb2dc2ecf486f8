#compdef ferry
# zsh completion for ferry:  source <(ferry completion zsh)   or this text as a file _ferry in a folder of $fpath
# Ferry is asked what can stand there. The words go to it as arguments and are never evaluated: a TAB behind $(...) does not run it.

_ferry() {
  local line value about
  local -a asked lines shown open
  asked=("${(@Q)words[2,CURRENT]}")
  lines=("${(@f)$("${(Q)words[1]}" __complete -- "${asked[@]}" 2>/dev/null)}")
  for line in "${lines[@]}"; do
    case $line in
      '') ;;
      :files* | :folders)
        [[ $PREFIX == -*=* ]] && compset -P '*='
        case $line in
          ':files '*) _files -g "*.(${${line#* }// /|})(-.)" ;;
          :files) _files ;;
          :folders) _files -/ ;;
        esac
        ;;
      *)
        value=${line%%$'\t'*}
        about=${${line#*$'\t'}:+:${line#*$'\t'}}
        value=${value//:/\\:}
        # A value that is still to be gone on with gets no blank behind it.
        if [[ $line == *[=:]$'\t'* ]]; then open+=("$value$about"); else shown+=("$value$about"); fi
        ;;
    esac
  done
  (( $#shown )) && _describe -V ferry shown
  (( $#open )) && _describe -V ferry open -S ''
}

if [[ $funcstack[1] == _ferry ]]; then
  _ferry "$@"
else
  compdef _ferry ferry
fi
