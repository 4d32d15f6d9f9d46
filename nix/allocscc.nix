# The products with a compiler: without ALLOCSCC_CC, allocscc drives the gcc of nixpkgs and allocscc++ its g++, whatever the path has.
# That gcc's programs and the library then use the same C library.
pkgs:
pkgs.runCommand "allocscc-${pkgs.liballocs.version}"
  {
    inherit (pkgs.liballocs) version;
    pname = "allocscc";
    nativeBuildInputs = [ pkgs.makeWrapper ];
    meta = pkgs.liballocs.meta;
  }
  ''
    mkdir -p $out/bin
    ln -s ${pkgs.liballocs}/{include,lib,share} $out/
    ln -s ${pkgs.liballocs}/bin/allocs $out/bin/
    makeWrapper ${pkgs.liballocs}/bin/allocscc $out/bin/allocscc \
      --set-default ALLOCSCC_CC ${pkgs.stdenv.cc}/bin/cc
    makeWrapper ${pkgs.liballocs}/bin/allocscc++ $out/bin/allocscc++ \
      --set-default ALLOCSCC_CC ${pkgs.stdenv.cc}/bin/c++
  ''
