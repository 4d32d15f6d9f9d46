# The flake's outputs: what is built where. How each thing is built stands in the file of its name.
{ self, nixpkgs }:
let
  system = "x86_64-linux";
  pkgs = nixpkgs.legacyPackages.${system}.extend self.overlays.default;
  app = package: program: {
    type = "app";
    program = "${package}/bin/${program}";
  };
in
{
  overlays.default = import ./overlay.nix;

  packages.${system} = {
    default = pkgs.allocscc;
    inherit (pkgs) allocscc liballocs;
    runtime = pkgs.liballocs-runtime;
    docker = import ./docker.nix pkgs;
  };

  checks.${system} = import ./checks.nix pkgs // {
    devShell = self.devShells.${system}.default;
  };

  devShells.${system}.default = import ./shell.nix pkgs;

  apps.${system} = {
    default = app pkgs.allocscc "allocscc";
    allocscc = app pkgs.allocscc "allocscc";
    allocs = app pkgs.allocscc "allocs";
    corpus = app (import ./corpus-app.nix pkgs) "corpus";
  };

  formatter.${system} = pkgs.nixfmt-tree;

  # Any package of nixpkgs, itself built with allocscc and its dependencies as they are: `nix build .#rebuilt.hello`.
  legacyPackages.${system}.rebuilt = builtins.mapAttrs (
    _: package: package.override { stdenv = pkgs.allocsStdenv; }
  ) nixpkgs.legacyPackages.${system};
}
