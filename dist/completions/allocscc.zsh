#compdef allocscc=gcc
# allocscc takes the options of gcc, -Wallocs and -gallocs.
if [[ $PREFIX == -Wa* || $PREFIX == -ga* ]]; then
    compadd -- -Wallocs -gallocs
fi
_gcc "$@"
