# The functions of nixpkgs' `lib` that the flake uses.
rec {
  fix =
    f:
    let
      x = f x;
    in
    x;

  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;

  removePrefix =
    prefix: text:
    if hasPrefix prefix text then
      builtins.substring (builtins.stringLength prefix) (builtins.stringLength text) text
    else
      text;

  splitString = separator: text: builtins.filter builtins.isString (builtins.split separator text);

  # The real one also composes filters.
  cleanSourceWith =
    {
      src,
      filter,
      name,
    }:
    builtins.path {
      inherit name filter;
      path = src;
    };

  getBin = package: package.bin or package;
  getLib = package: package.lib or package;

  licenses = {
    mit.spdxId = "MIT";
    asl20.spdxId = "Apache-2.0";
  };
}
