# Links the host's tools of the given names. A missing one says so when it is run.
"$(command -v mkdir)" -p "$out/bin"
for name in $names; do
	tool=$(command -v "$name") || tool=
	case $tool in
	/*)
		if [ "$(head -c 2 "$tool")" = '#!' ]; then
			# A script may look for other files beside itself, as valgrind does.
			printf '#!/bin/sh\nexec %s "$@"\n' "$tool" >"$out/bin/$name"
			chmod +x "$out/bin/$name"
		else
			ln -s "$tool" "$out/bin/$name"
		fi
		;;
	?*) ln -s "/bin/$name" "$out/bin/$name" ;; # built into this shell, as `true` is
	*)
		printf '#!/bin/sh\necho "the host has no %s" >&2\nexit 127\n' "$name" >"$out/bin/$name"
		chmod +x "$out/bin/$name"
		;;
	esac
done
