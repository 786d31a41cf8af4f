# What is wrong with onion services, as components/stack/services.ts says it of a configuration.
#   { services; listeners; }  ->  [ message ]    listeners: addresses on this machine that answer its own programs alone
{ services, listeners }:
let
  rules = import ./rules.nix;
  option = "sealed-onion.onionServices";
  names = builtins.attrNames services;
  targetsOf = name: builtins.attrValues services.${name}.ports;
  sites = builtins.filter (name: builtins.elem "site" (targetsOf name)) names;
  sitePorts = builtins.genList (index: "127.0.0.1:${toString (rules.firstSitePort + index)}") (builtins.length sites);

  ofName =
    name:
    if rules.follows "name" name then
      [ ]
    else
      [ "${option} has one called ${builtins.toJSON name}, and a name must be ${rules.says "name"}: rename it" ];

  ofPort =
    name: port:
    let
      target = services.${name}.ports.${port};
      where = "${option}.${name}.ports.\"${port}\"";
    in
    if !rules.follows "port" port then
      [ "${option}.${name}.ports has ${builtins.toJSON port}, and each must be ${rules.says "port"}: correct it" ]
    else if builtins.elem target sitePorts then
      [ "${where} is ${target}, where a static site listens: set it to another port, or to site" ]
    else if builtins.elem target listeners then
      [ "${where} is ${target}, where Vault's agent answers with this machine's own token: set it to another port" ]
    else
      [ ];

  ofService =
    name:
    let
      service = services.${name};
    in
    ofName name
    ++ builtins.concatMap (ofPort name) (builtins.attrNames service.ports)
    ++ (
      if service.ssh && service.ports ? "22" then
        [ "port 22 is taken twice: unset ${option}.${name}.ssh, or leave \"22\" out of its ports" ]
      else if !service.ssh && service.ports == { } then
        [ "${option}.${name} has no port: set its ports, or its ssh" ]
      else
        [ ]
    );

  hostnames = map (name: services.${name}.hostname) names;
  isTwice = hostname: builtins.length (builtins.filter (other: other == hostname) hostnames) > 1;
in
builtins.concatMap ofService names
++ (if builtins.any isTwice hostnames then [ "two of ${option} have one hostname: give each its own key" ] else [ ])
