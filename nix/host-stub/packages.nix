# The packages. A tool is a directory of links to the host's own; what builds things does it as nixpkgs does, in short.
host:
let
  system = "x86_64-linux";
  lib = import ./lib.nix;

  # `bin` with links to the host's tools of these names, and nothing else.
  tools =
    name: names:
    derivation {
      inherit name system names;
      builder = "/bin/sh";
      args = [ ./tools.sh ];
      PATH = host.path;
    }
    // {
      pname = name;
    };
  tool = name: tools name name // { meta.mainProgram = name; };

  base = tools "host-base" (
    "awk basename bash cat chmod cmp cp cut date diff dirname env find grep gzip head id install ln ls make mkdir "
    + "mktemp mv od readlink rm sed sh sleep sort tar tee touch tr true uname uniq wc xargs"
  );

  # The unwrapped compiler and binutils.
  gcc =
    tools "host-gcc" "gcc g++ cc c++ cpp ar as ld nm objcopy objdump ranlib readelf strip"
    // {
      version = "host";
      isGNU = true;
      isClang = false;
    };

  overridable =
    make: arguments:
    make arguments
    // {
      override = more: overridable make (arguments // more);
    };

  # A compiler that adds flags of the environment and for hardening, as nixpkgs' cc-wrapper does.
  wrapped = overridable (
    { cc }:
    derivation {
      inherit system cc;
      name = "host-cc-wrapper";
      builder = "/bin/sh";
      args = [ ./cc-wrapper.sh ];
      wrapper = ./cc.sh;
      PATH = "${base}/bin";
    }
    // {
      inherit cc;
      libc.bin = tool "ldd";
      isGNU = true;
      isClang = false;
    }
  );

  setup = derivation {
    inherit system;
    name = "host-stdenv";
    builder = "/bin/sh";
    args = [
      "-c"
      "mkdir $out && cp $setup $out/setup"
    ];
    setup = ./setup.sh;
    PATH = "${base}/bin";
  };

  stdenvWith = cc: {
    inherit cc;
    mkDerivation =
      arguments:
      let
        plain = removeAttrs arguments [
          "cargoLock"
          "meta"
          "packages"
          "passthru"
        ];
        name = arguments.name or "${arguments.pname}-${arguments.version}";
      in
      derivation (
        plain
        // {
          inherit system name;
          builder = "/bin/bash";
          args = [
            "-e"
            ./builder.sh
          ];
          stdenv = setup;
          initialTools = [
            cc
            cc.cc
            base
          ];
          nativeBuildInputs = arguments.nativeBuildInputs or [ ] ++ arguments.packages or [ ];
        }
      )
      // arguments.passthru or { }
      // {
        inherit name;
        meta = arguments.meta or { };
      }
      // builtins.intersectAttrs {
        pname = null;
        version = null;
      } arguments;
  };
in
lib.fix (
  self:
  let
    runCommand = name: env: buildCommand: self.stdenv.mkDerivation (env // { inherit name buildCommand; });
    script = name: text: ''
      mkdir -p $out/bin
      cat > $out/bin/${name} <<'end of the script'
      #!/bin/bash
      ${text}
      end of the script
      chmod +x $out/bin/${name}
    '';
  in
  {
    inherit lib system runCommand;

    extend = overlay: lib.fix (all: self // overlay all self);

    stdenv = stdenvWith (wrapped { cc = gcc; });
    overrideCC = _: stdenvWith;

    rustPlatform.buildRustPackage =
      arguments:
      self.stdenv.mkDerivation (
        {
          buildPhase = "cargo build --frozen --release $cargoBuildFlags";
          # nixpkgs puts executables and libraries of the release build in place.
          installPhase = ''
            mkdir -p $out/bin $out/lib
            find target/release -maxdepth 1 -type f -perm -u+x ! -name '*.so' -exec cp {} $out/bin ';'
            find target/release -maxdepth 1 -type f -name '*.so' -exec cp {} $out/lib ';'
          '';
        }
        // arguments
        // {
          nativeBuildInputs = arguments.nativeBuildInputs or [ ] ++ [
            self.cargo
            self.rustc
          ];
          # Where nixpkgs vendors the crates of the lock file, this takes them from the host's cargo.
          CARGO_HOME = host.cargoHome;
          RUSTUP_HOME = host.rustupHome;
          lockFile = arguments.cargoLock.lockFile;
        }
      );

    # A fixed-output derivation as in nixpkgs; but the archive comes from the host's cargo.
    fetchCrate =
      {
        pname,
        version,
        sha256,
        unpack,
      }:
      assert !unpack;
      derivation {
        inherit system;
        name = "${pname}-${version}.tar.gz";
        builder = "/bin/sh";
        args = [
          "-c"
          ''
            cp ${host.cargoHome}/registry/cache/*/${pname}-${version}.crate $out ||
              { echo "cargo xtask corpus fetches it" >&2; exit 1; }
          ''
        ];
        PATH = "${base}/bin";
        outputHashMode = "flat";
        outputHashAlgo = "sha256";
        outputHash = sha256;
      };

    linkFarm =
      name: entries:
      runCommand name { } ''
        mkdir $out
        ${builtins.concatStringsSep "\n" (map (entry: "ln -s ${entry.path} $out/${entry.name}") entries)}
      '';

    mkShell =
      arguments:
      self.stdenv.mkDerivation (
        {
          name = "nix-shell";
          outputs = [ "out" ]; # `nix develop` asks for it by this name
          buildCommand = "touch $out";
          CARGO_HOME = host.cargoHome;
          RUSTUP_HOME = host.rustupHome;
        }
        // arguments
      );

    # A package of nixpkgs, to be rebuilt by another stdenv.
    hello = overridable (
      { stdenv }:
      stdenv.mkDerivation {
        pname = "hello";
        version = "stub";
        src = ./hello;
        makeFlags = "CFLAGS=-O2";
        installPhase = "install -D hello $out/bin/hello";
        meta.mainProgram = "hello";
      }
    ) { inherit (self) stdenv; };

    # No image: what it would hold and how it would be run, so that all of it is built.
    dockerTools.buildLayeredImage =
      {
        name,
        tag,
        contents,
        extraCommands,
        config,
      }:
      runCommand "docker-image-${name}.tar.gz"
        {
          inherit contents;
          config = builtins.toJSON config;
        }
        ''
          mkdir root
          cd root
          for package in $contents; do
            for part in $package/*; do
              test ! -d $part || { mkdir -p $(basename $part); ln -sf $part/* $(basename $part)/; }
            done
          done
          ${extraCommands}
          echo "$config" > config.json
          tar --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner -c . | gzip -n > $out
        '';

    makeWrapper = runCommand "host-make-wrapper" { } ''
      mkdir -p $out/bin
      cp ${./make-wrapper.sh} $out/bin/makeWrapper
      chmod +x $out/bin/makeWrapper
    '';
    writeShellScriptBin = name: text: runCommand name { } (script name text);
    writeShellApplication =
      {
        name,
        runtimeInputs,
        text,
      }:
      runCommand name { } (
        script name ''
          set -euo pipefail
          export PATH=${builtins.concatStringsSep ":" (map (package: "${package}/bin") runtimeInputs)}:$PATH
          ${text}
        ''
      );

    bashInteractive = tool "bash";
    cargo = tool "cargo";
    cargo-nextest = tool "cargo-nextest";
    ccache = tool "ccache";
    # Debian's clang has its version in its name.
    clang = runCommand "host-clang" { } ''
      mkdir -p $out/bin
      ln -s ${tools "host-clangs" "clang clang-14"}/bin/clang-14 $out/bin/clang
    '';
    clippy = tools "clippy" "cargo-clippy clippy-driver";
    coreutils = base;
    gdb = tool "gdb";
    gnumake = tool "make";
    gnused = tool "sed";
    nixfmt-tree = tool "true";
    pkg-config = tool "pkg-config";
    rustc = tools "rustc" "rustc rustdoc";
    rustfmt = tools "rustfmt" "rustfmt cargo-fmt";
    valgrind = tool "valgrind";
  }
)
