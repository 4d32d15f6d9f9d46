#!/bin/bash
# Runs the compiler with the flags that the environment asks for.
before=()
for flag in ${NIX_HARDENING_ENABLE:-}; do
	case $flag in
	fortify) before+=(-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) ;;
	stackprotector) before+=(-fstack-protector-strong --param ssp-buffer-size=4) ;;
	bindnow) before+=(-Wl,-z,now) ;;
	relro) before+=(-Wl,-z,relro) ;;
	format) before+=(-Wformat -Wformat-security -Werror=format-security) ;;
	esac
done
exec @compiler@ "${before[@]}" "$@" ${NIX_CFLAGS_COMPILE:-}
