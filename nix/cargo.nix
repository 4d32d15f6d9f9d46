# Runs cargo over the workspace. Crates come from Cargo.lock, so nothing needs a network.
pkgs: arguments:
let
  manifest = builtins.fromTOML (builtins.readFile ../Cargo.toml);
in
pkgs.rustPlatform.buildRustPackage (
  {
    inherit (manifest.workspace.package) version;
    src = import ./source.nix { inherit (pkgs) lib; } [
      ".cargo"
      ".config"
      "Cargo.lock"
      "Cargo.toml"
      "LICENSE"
      "LICENSE-APACHE"
      "LICENSE-MIT"
      "allocscc"
      "corpus"
      "metadata"
      "runtime"
      "rustfmt.toml"
      "xtask"
    ];
    cargoLock.lockFile = ../Cargo.lock;
    # The list of crates that it adds to each file would also be in the preload library.
    auditable = false;
    doCheck = false;
  }
  // arguments
)
