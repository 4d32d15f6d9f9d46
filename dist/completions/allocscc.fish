# allocscc takes the options of gcc, and -Wallocs.
complete -c allocscc -w gcc
complete -c allocscc -o Wallocs -d 'Say why where a file could not be analysed'
