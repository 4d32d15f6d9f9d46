{
  description = "A look-alike of the few attributes of nixpkgs that the flake uses, made of the host's tools";

  # `host.nix` says where this host has them; `cargo xtask package-test` writes it into a copy of this directory.
  outputs =
    { self }:
    {
      lib = import ./lib.nix;
      legacyPackages.x86_64-linux = import ./packages.nix (import ./host.nix);
    };
}
