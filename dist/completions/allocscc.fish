# allocscc takes the options of gcc, -Wallocs and -gallocs.
complete -c allocscc -w gcc
complete -c allocscc -o Wallocs -d 'Say why where a file could not be analysed'
complete -c allocscc -o gallocs -d 'Say in the debug information what calls allocate'
