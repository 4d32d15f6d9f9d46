# What a machine needs that runs programs and builds none: no compiler is in its closure.
pkgs:
pkgs.runCommand "liballocs-runtime-${pkgs.liballocs.version}"
  {
    inherit (pkgs.liballocs) version;
    pname = "liballocs-runtime";
    meta = pkgs.liballocs.meta // {
      mainProgram = "allocs";
    };
  }
  ''
    mkdir -p $out/bin $out/lib
    cp ${pkgs.liballocs}/bin/allocs $out/bin/
    cp ${pkgs.liballocs}/lib/liballocs_preload.so $out/lib/
  ''
