# What CI does, each part a derivation of its own.
pkgs:
let
  tools = builtins.attrValues (import ./tools.nix pkgs);
  cargo =
    name: arguments:
    import ./cargo.nix pkgs (
      {
        pname = "liballocs-${name}";
        files = [
          ".config"
          "corpus"
          "rustfmt.toml"
          "xtask"
        ];
        installPhase = "touch $out";
      }
      // arguments
    );
  # One derivation for two checks, because most of the time of both goes into the same crates of others.
  lints = cargo "lints" {
    nativeBuildInputs = [ pkgs.clippy ];
    RUSTDOCFLAGS = "-D warnings";
    buildPhase = ''
      cargo clippy --frozen --workspace --all-targets -- -D warnings
      cargo doc --frozen --workspace --no-deps --document-private-items
    '';
  };
in
{
  build = pkgs.allocscc;

  fmt = cargo "fmt" {
    nativeBuildInputs = [ pkgs.rustfmt ];
    buildPhase = "cargo fmt --all --check";
  };

  clippy = lints;
  docs = lints;

  # All tests but those of the corpus programs, which are the checks `corpus-NAME`.
  nextest = cargo "nextest" {
    nativeBuildInputs = [ pkgs.cargo-nextest ] ++ tools;
    hardeningDisable = [ "all" ];
    ALLOCS_STAGE = pkgs.liballocs;
    CI = "true"; # a log, and no progress bar
    INSTA_UPDATE = "no";
    # A test reads the README, which other builds do not depend on.
    preBuild = "cp ${../README.md} README.md";
    buildPhase = ''
      runHook preBuild
      export HOME=$TMPDIR
      cargo nextest run --frozen --workspace --profile ci -E 'not (package(corpus) & binary(corpus))'
    '';
  };

  example = pkgs.runCommand "liballocs-example" { nativeBuildInputs = [ pkgs.allocscc ]; } ''
    allocscc -o test ${pkgs.liballocs}/share/doc/liballocs/examples/readme.c
    allocs run ./test | tee $out
    for said in 'static-.*__FUN_FROM_' 'malloc-.*size 168, .*__ARR0_int' 'stackframe-.*_main_' 'auxv-.*__PTR_'; do
      grep -q "$said" $out || { echo "the example does not say $said"; exit 1; }
    done
  '';

  # A package of nixpkgs, rebuilt: its program carries metadata, and does what it did.
  rebuilt-hello =
    let
      hello = pkgs.hello.override { stdenv = pkgs.allocsStdenv; };
    in
    pkgs.runCommand "rebuilt-hello" { nativeBuildInputs = [ pkgs.liballocs ]; } ''
      allocs meta ${hello}/bin/hello | sed -n '/^sites/,/^$/p' | tee $out
      grep -q '^sites ([1-9]' $out || { echo "no allocation site is known"; exit 1; }
      ${hello}/bin/hello > plain
      allocs run ${hello}/bin/hello > library
      cmp plain library
    '';
}
// import ./corpus.nix pkgs
