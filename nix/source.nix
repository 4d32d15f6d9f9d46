# Files of the checkout by their first path component, so that a build depends on no others.
{ lib }:
names:
lib.cleanSourceWith {
  name = "liballocs-source";
  src = ../.;
  filter =
    path: _type:
    let
      below = lib.removePrefix "${toString ../.}/" (toString path);
    in
    builtins.elem (builtins.head (lib.splitString "/" below)) names;
}
