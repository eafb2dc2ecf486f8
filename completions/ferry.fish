# fish completion for ferry:  ferry completion fish | source
# Ferry is asked what can stand there. The words go to it as arguments and are never evaluated: a TAB behind (...) does not run it.

function __ferry_complete
    set -l words (commandline -opc)
    set -l begun (commandline -ct)
    # What is no path of the word stays before it: --inventory=
    set -l kept (string match -r -- '^-[^=]*=' $begun; or echo '')
    set -l path (string replace -r -- '^-[^=]*=' '' $begun)
    for line in ($words[1] __complete -- $words[2..-1] "$begun" 2>/dev/null)
        switch $line
            case ':files *'
                set -l endings (string replace -- ':files ' '' $line | string replace -a ' ' '|')
                printf '%s\n' $kept(__fish_complete_path $path | string match -re -- "(?:/|\.(?:$endings))(?:\t.*)?\$")
            case :files
                printf '%s\n' $kept(__fish_complete_path $path)
            case :folders
                printf '%s\n' $kept(__fish_complete_directories $path '')
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c ferry -e
complete -c ferry -f -a '(__ferry_complete)'
