#compdef allocscc=gcc
# allocscc takes the options of gcc, and -Wallocs.
if [[ $PREFIX == -Wa* ]]; then
    compadd -- -Wallocs
fi
_gcc "$@"
