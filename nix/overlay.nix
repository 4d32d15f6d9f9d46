# What the flake adds to nixpkgs.
final: _prev: {
  # All products, as `cargo xtask install` lays them out; allocscc drives the `cc` of the path.
  liballocs = import ./liballocs.nix final;

  # The same with a compiler: allocscc drives the one of nixpkgs.
  allocscc = import ./allocscc.nix final;

  # The library and `allocs`, for machines that only run programs.
  liballocs-runtime = import ./runtime.nix final;

  # Builds any package with allocscc: `hello.override { stdenv = allocsStdenv; }`.
  allocsStdenv = import ./stdenv.nix final;
}
