# The tools that the tests and the corpus run, beyond what stdenv has.
pkgs: {
  # clang under that name alone: its package also has a `cc`, which would hide gcc's.
  clang = pkgs.runCommand "clang-by-name" { } ''
    mkdir -p $out/bin
    ln -s ${pkgs.clang}/bin/clang ${pkgs.clang}/bin/clang++ $out/bin/
  '';

  inherit (pkgs)
    ccache
    gdb
    pkg-config
    valgrind
    ;

  ldd = pkgs.lib.getBin pkgs.stdenv.cc.libc;
}
