# Runs cargo over the workspace, or over some files of it. Crates come from Cargo.lock, so nothing needs a network.
pkgs:
{ files, ... }@arguments:
let
  manifest = builtins.fromTOML (builtins.readFile ../Cargo.toml);
in
pkgs.rustPlatform.buildRustPackage (
  {
    inherit (manifest.workspace.package) version;
    src = import ./source.nix { inherit (pkgs) lib; } (
      [
        "Cargo.lock"
        "Cargo.toml"
        "allocscc"
        "metadata"
        "runtime"
      ]
      ++ files
    );
    cargoLock.lockFile = ../Cargo.lock;
    # The list of crates that it adds to each file would also be in the preload library.
    auditable = false;
    doCheck = false;
  }
  // removeAttrs arguments [ "files" ]
)
