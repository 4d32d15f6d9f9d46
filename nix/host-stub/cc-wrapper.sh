# Makes a wrapper of each compiler that $cc has, and links its other programs.
mkdir -p "$out/bin"
for tool in "$cc"/bin/*; do
	name=$(basename "$tool")
	case $name in
	gcc | g++ | cc | c++)
		sed "s|@compiler@|$tool|" "$wrapper" >"$out/bin/$name"
		chmod +x "$out/bin/$name"
		;;
	*) ln -s "$tool" "$out/bin/$name" ;;
	esac
done
