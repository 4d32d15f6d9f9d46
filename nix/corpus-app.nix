# `nix run .#corpus -- ARGUMENTS` in a checkout: `cargo xtask corpus`, with its tools.
pkgs:
pkgs.writeShellApplication {
  name = "corpus";
  runtimeInputs = [
    pkgs.cargo
    pkgs.rustc
    pkgs.stdenv.cc
  ]
  ++ builtins.attrValues (import ./tools.nix pkgs);
  text = ''exec cargo xtask corpus "$@"'';
}
