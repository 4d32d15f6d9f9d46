# stdenv whose compiler is allocscc. It stands where the unwrapped gcc stands, inside nixpkgs' wrapper, so that it sees
# the flags that the wrapper adds and the wrapper does all that packages expect of it. (ccacheStdenv does the same.)
pkgs:
let
  gcc = pkgs.stdenv.cc.cc;
  compiler =
    pkgs.runCommand "allocscc-gcc-${gcc.version}"
      {
        pname = "allocscc-gcc";
        inherit (gcc) version;
        nativeBuildInputs = [ pkgs.makeWrapper ];
        # What the wrapper asks of a compiler.
        passthru =
          builtins.intersectAttrs {
            hardeningUnsupportedFlags = null;
            hardeningUnsupportedFlagsByTargetPlatform = null;
            isClang = null;
            isGNU = null;
            langC = null;
            langCC = null;
          } gcc
          // {
            lib = pkgs.lib.getLib gcc;
          };
      }
      ''
        mkdir -p $out/bin
        for file in ${gcc}/bin/*; do
          ln -s $file $out/bin/
        done
        for name in cc gcc; do
          rm -f $out/bin/$name
          makeWrapper ${pkgs.liballocs}/bin/allocscc $out/bin/$name --set ALLOCSCC_CC ${gcc}/bin/gcc
        done
        for name in c++ g++; do
          rm -f $out/bin/$name
          makeWrapper ${pkgs.liballocs}/bin/allocscc++ $out/bin/$name --set ALLOCSCC_CC ${gcc}/bin/g++
        done
        for part in ${gcc}/*; do
          test $(basename $part) = bin || ln -s $part $out/
        done
      '';
in
pkgs.overrideCC pkgs.stdenv (pkgs.stdenv.cc.override { cc = compiler; })
