# allocscc and allocscc++ take the options of gcc, -Wallocs, -gallocs and -fallocs-alloca.
complete -c allocscc -w gcc
complete -c allocscc++ -w g++
complete -c allocscc -c allocscc++ -o Wallocs -d 'Say why where a file could not be analysed'
complete -c allocscc -c allocscc++ -o gallocs -d 'Say in the debug information what calls allocate'
complete -c allocscc -c allocscc++ -o fallocs-alloca -d 'Let blocks of alloca say what they are'
