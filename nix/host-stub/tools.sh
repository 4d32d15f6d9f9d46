# Links the host's tools of the given names. A missing one says so when it is run.
"$(command -v mkdir)" -p "$out/bin"
for name in $names; do
	tool=$(command -v "$name") || tool=
	case $tool in
	/*) ln -s "$tool" "$out/bin/$name" ;;
	?*) ln -s "/bin/$name" "$out/bin/$name" ;; # built into this shell, as `true` is
	*)
		printf '#!/bin/sh\necho "the host has no %s" >&2\nexit 127\n' "$name" >"$out/bin/$name"
		chmod +x "$out/bin/$name"
		;;
	esac
done
