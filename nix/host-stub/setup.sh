# The generic builder in short: sourced by builds, and by `nix develop`.
PATH=
for package in ${nativeBuildInputs:-} ${initialTools:-}; do
	PATH=$PATH${PATH:+:}$package/bin
done
export PATH
export NIX_HARDENING_ENABLE="fortify stackprotector bindnow relro format"
case " ${hardeningDisable:-} " in *" all "*) NIX_HARDENING_ENABLE= ;; esac

runHook() {
	if [ -n "${!1:-}" ]; then eval "${!1}"; fi
}

# A phase is what the package says, or else the given default.
phase() {
	if [ -n "${!1:-}" ]; then eval "${!1}"; else "$2"; fi
}

unpackSource() {
	cp -r --no-preserve=mode "$src" source
	cd source
}

buildSource() {
	runHook preBuild
	make ${makeFlags:+"$makeFlags"}
	runHook postBuild
}

installSource() {
	echo "there is no install phase" >&2
	exit 1
}

stripped() {
	if [ -d "$out" ]; then
		find "$out" -type f \( -path '*/bin/*' -o -path '*/lib/*' \) -exec strip -S -p {} + 2>/dev/null || true
	fi
}

genericBuild() {
	# As in a sandbox: no user's settings, and no network for cargo.
	export HOME=/homeless-shelter CARGO_NET_OFFLINE=true
	if [ -n "${buildCommand:-}" ]; then
		eval "$buildCommand"
		return
	fi
	unpackSource
	if [ -n "${lockFile:-}" ]; then cmp "$lockFile" Cargo.lock; fi
	phase buildPhase buildSource
	phase installPhase installSource
	runHook postInstall
	stripped
}
