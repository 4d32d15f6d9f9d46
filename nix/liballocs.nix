# The products, laid out as a prefix: bin, lib, include, share.
pkgs:
import ./cargo.nix pkgs {
  pname = "liballocs";
  cargoBuildFlags = [
    "--package"
    "allocscc"
    "--package"
    "allocs-runtime"
  ];
  # The checks of the flake run the tests, in derivations of their own.
  postInstall = ''
    mkdir -p $out/share/doc/allocs
    cp -r runtime/include $out/include
    cp -r corpus/programs/examples LICENSE* $out/share/doc/allocs/
  '';
  meta = {
    description = "Ask any pointer in a running C program what it points into";
    license = with pkgs.lib.licenses; [
      mit
      asl20
    ];
    platforms = [ "x86_64-linux" ];
    mainProgram = "allocscc";
  };
}
