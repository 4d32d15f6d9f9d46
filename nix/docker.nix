# The toolchain as a container image: allocscc, gcc, gdb, the headers, the example. `docker load < result`.
pkgs:
let
  example = pkgs.writeShellScriptBin "liballocs-example" ''
    set -e
    cd "$(mktemp -d)"
    sed '/^\/\/@/d' ${pkgs.liballocs}/share/doc/liballocs/examples/readme.c > test.c
    set -x
    cat test.c
    allocscc -o test test.c
    allocs run ./test
  '';
in
pkgs.dockerTools.buildLayeredImage {
  name = "liballocs";
  tag = pkgs.liballocs.version;
  contents = [
    example
    pkgs.allocscc
    pkgs.bashInteractive
    pkgs.coreutils
    pkgs.gdb
    pkgs.gnumake
    pkgs.gnused
    pkgs.stdenv.cc
  ];
  # Any user may work in /src and in /tmp, also one that the image does not know.
  extraCommands = ''
    mkdir -p src tmp
    chmod 1777 src tmp
  '';
  config = {
    Cmd = [ "/bin/liballocs-example" ];
    Env = [
      "PATH=/bin"
      "HOME=/tmp"
    ];
    User = "1000:1000";
    Volumes."/src" = { };
    WorkingDir = "/src";
    Labels = {
      "org.opencontainers.image.title" = "liballocs";
      "org.opencontainers.image.version" = pkgs.liballocs.version;
      "org.opencontainers.image.description" = pkgs.liballocs.meta.description;
      "org.opencontainers.image.licenses" = "MIT OR Apache-2.0";
    };
  };
}
