# The products, laid out as a prefix: bin, lib, include, share.
pkgs:
import ./cargo.nix pkgs {
  pname = "liballocs";
  # Of the other crates only what cargo looks at, so that tests and commands can change without a rebuild.
  files = [
    "LICENSE"
    "LICENSE-APACHE"
    "LICENSE-MIT"
    "corpus/Cargo.toml"
    "corpus/programs/examples"
    "corpus/src/bin"
    "corpus/src/lib.rs"
    "corpus/tests"
    "dist/man"
    "docs/writing-tools.md"
    "xtask/Cargo.toml"
    "xtask/src/main.rs"
  ];
  cargoBuildFlags = [
    "--package"
    "allocscc"
    "--package"
    "allocs-runtime"
  ];
  postInstall = ''
    cp -r runtime/include $out/include
    mkdir -p $out/share/liballocs/include $out/share/doc/liballocs
    for header in runtime/include/*; do
      ln -s ../../../include/$(basename $header) $out/share/liballocs/include/
    done
    for section in 1 3 7; do
      mkdir -p $out/share/man/man$section
      cp dist/man/*.$section $out/share/man/man$section/
    done
    cp -r corpus/programs/examples LICENSE* $out/share/doc/liballocs/
    sed 's|\.\./corpus/programs/examples/|examples/|' docs/writing-tools.md > $out/share/doc/liballocs/writing-tools.md
  '';
  meta = {
    description = "Ask any pointer in a running C program what it points into";
    license = with pkgs.lib.licenses; [
      mit
      asl20
    ];
    platforms = [ "x86_64-linux" ];
    mainProgram = "allocscc";
  };
}
