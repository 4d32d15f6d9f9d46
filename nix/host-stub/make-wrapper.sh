#!/bin/bash
# makeWrapper PROGRAM WRAPPER [--set | --set-default NAME VALUE]...
set -euo pipefail
program=$1 wrapper=$2
shift 2
{
	echo '#!/bin/bash -e'
	while [ $# -gt 0 ]; do
		case $1 in
		--set) printf 'export %s=%q\n' "$2" "$3" ;;
		--set-default) printf 'export %s=${%s-%q}\n' "$2" "$2" "$3" ;;
		*) echo "makeWrapper: $1 is not known here" >&2 && exit 1 ;;
		esac
		shift 3
	done
	printf 'exec %q "$@"\n' "$program"
} >"$wrapper"
chmod +x "$wrapper"
