# A derivation for each corpus program of the first tier, read from corpus.lock.toml, so that Nix spreads them over its builders.
pkgs:
let
  inherit (pkgs) lib;
  manifest = builtins.fromTOML (builtins.readFile ../corpus/corpus.lock.toml);

  # The test executable of the corpus, built once.
  harness = import ./cargo.nix pkgs {
    pname = "allocs-corpus";
    files = [
      "corpus/Cargo.toml"
      "corpus/src"
      "corpus/tests"
      "xtask/Cargo.toml"
      "xtask/src/main.rs"
    ];
    buildPhase = "cargo test --frozen --package corpus --test corpus --no-run";
    installPhase = ''
      mkdir -p $out/bin
      find target/debug/deps -maxdepth 1 -type f -name 'corpus-*' -perm -u+x -exec cp {} $out/bin/corpus ';'
    '';
  };

  # How to get a package, by its registry: fixed by the checksum that stands in the manifest.
  archives.crates =
    package:
    pkgs.fetchCrate {
      pname = package.name;
      inherit (package) version sha256;
      unpack = false;
    };

  # The packages of a program: paths of its sources start with their names.
  packagesOf =
    program:
    builtins.filter (
      package: builtins.any (lib.hasPrefix "${package.name}/") program.build.sources
    ) manifest.package;

  check =
    program:
    pkgs.runCommand "corpus-${program.name}"
      {
        hardeningDisable = [ "all" ];
        src = import ./source.nix { inherit lib; } [
          "corpus/corpus.lock.toml"
          "corpus/mains"
          "corpus/probe"
          "corpus/workloads"
          "snapshots/${program.name}.snap"
        ];
        ALLOCS_CORPUS_ARCHIVES = pkgs.linkFarm "corpus-${program.name}-archives" (
          map (package: {
            name = "${package.name}-${package.version}.crate";
            path = archives.${package.registry} package;
          }) (packagesOf program)
        );
        ALLOCS_STAGE = pkgs.liballocs;
        INSTA_UPDATE = "no";
      }
      ''
        cp -r --no-preserve=mode $src source
        cd source
        export CARGO_MANIFEST_DIR=$PWD/corpus INSTA_WORKSPACE_ROOT=$PWD
        ${harness}/bin/corpus --exact ${program.name}
        # The figures hold times, which differ from build to build, so they are only shown.
        cat target/corpus/results/${program.name}.json
        cp snapshots/${program.name}.snap $out
      '';
in
builtins.listToAttrs (
  map (program: {
    name = "corpus-${program.name}";
    value = check program;
  }) (builtins.filter (program: program.tier or 1 == 1) manifest.program)
)
