# `nix develop`: what the README and `.ci/run` name, and allocscc itself.
pkgs:
pkgs.mkShell {
  packages = [
    pkgs.allocscc
    pkgs.cargo
    pkgs.cargo-nextest
    pkgs.clippy
    pkgs.rustc
    pkgs.rustfmt
  ]
  ++ builtins.attrValues (import ./tools.nix pkgs);

  # Compilers do what their command line says: the snapshots were made that way.
  hardeningDisable = [ "all" ];
}
