#compdef allocscc=gcc allocscc++=g++
# allocscc and allocscc++ take the options of gcc, -Wallocs, -gallocs and -fallocs-alloca.
if [[ $PREFIX == -Wa* || $PREFIX == -ga* ]]; then
    compadd -- -Wallocs -gallocs -fallocs-alloca
fi
_gcc "$@"
