# Files and directories of the checkout, so that a build depends on no others.
{ lib }:
names:
lib.cleanSourceWith {
  name = "liballocs-source";
  src = ../.;
  filter =
    path: _type:
    let
      below = lib.removePrefix "${toString ../.}/" (toString path);
      holds = outer: inner: lib.hasPrefix "${outer}/" "${inner}/";
    in
    builtins.any (name: holds name below || holds below name) names;
}
