# The system of the machine that boots, out of what NixOS made of it (the golden texts) and of a stack's folder. Each text
# is a store path of its own, as in NixOS, so that a change is sent and switched to like one of NixOS. Packages are
# Debian's, below /guest.
#
# Built by /bin/sh of the sandbox, which is busybox. A story changes the system by `site/`, and by lines for tor in
# `extra-torrc` beside this file, by `extra-package`, by `extra-kernel`: one that says `panics` does not come up; and by
# `extra-server`, a line more for the site's server's unit.
let
  inherit (builtins)
    attrNames
    concatMap
    elemAt
    filter
    genList
    hashFile
    hashString
    isAttrs
    isList
    isString
    length
    listToAttrs
    map
    mapAttrs
    match
    pathExists
    readDir
    readFile
    replaceStrings
    sort
    stringLength
    ;
  golden = ./golden;
  stack = ./stacks/rehearsal;
  goldenFacts = builtins.fromJSON (readFile (golden + "/facts.json"));
  facts = builtins.fromJSON (readFile (stack + "/facts.json"));
  about = builtins.fromJSON (readFile (golden + "/about.json"));

  optional = file: if pathExists file then readFile file else "";
  pair = from: to: { inherit from to; };
  replaceAll = pairs: replaceStrings (map (one: one.from) pairs) (map (one: one.to) pairs);
  mentions = text: word: replaceStrings [ word ] [ "" ] text != text;

  # What only a deployment knows: wherever the golden facts have another word.
  deployed =
    old: new:
    if isAttrs old && isAttrs new then
      concatMap (name: if new ? ${name} then deployed old.${name} new.${name} else [ ]) (attrNames old)
    else if isList old && isList new then
      concatMap (index: deployed (elemAt old index) (elemAt new index)) (genList (index: index) (length old))
    else if isString old && isString new && old != new then
      [ (pair old new) ]
    else
      [ ];
  placeholder = name: ''{ "placeholder": "${name}" }'' + "\n";
  digests = map (
    name: pair (hashString "sha256" (placeholder name)) (hashFile "sha256" (sealedFile name))
  ) (attrNames facts.secrets);
  sealedFile = name: stack + "/${facts.secrets.${name}.sealedFile}";
  sealedFiles = map (
    name:
    pair "/nix/store/${facts.secrets.${name}.sealedFile}" "${builtins.path {
      path = sealedFile name;
      name = facts.secrets.${name}.sealedFile;
    }}"
  ) (attrNames facts.secrets);
  values = deployed goldenFacts facts ++ digests;

  # A script of ours is one line in the golden texts.
  ownScripts = listToAttrs (
    map (name: {
      name = "@nix/scripts/${name}@\n";
      value = readFile (./scripts + "/${name}");
    }) (attrNames (readDir ./scripts))
  );
  whole =
    text:
    let
      named = filter (mentions text) (attrNames ownScripts);
    in
    replaceStrings named (map (line: ownScripts.${line}) named) text;

  # Of what differs here from the machine in Azure: root-tree.ts.
  adapted = {
    "units/sops-install-secrets.service" =
      if facts ? update then
        (text: text)
      else
        replaceStrings [ "ConditionPathExists=/run/sealed-onion-update/known\n" ] [ "" ];
    "units/tor.service" = replaceStrings [ "BindReadOnlyPaths=/etc\n" ] [
      "BindReadOnlyPaths=/etc\nBindReadOnlyPaths=/usr /lib /lib64 /guest\n"
    ];
    "store/torrc" = text: "%include /etc/rehearsal/torrc\n${text}${optional ./extra-torrc}";
    # No other machine has its address: its first look is at once at what the network gives out.
    "units/follow-descriptors.service" = replaceStrings [ "[Service]\n" ] [
      "[Service]\nEnvironment=SEALED_ONION_SETTLE=1\n"
    ];
    "units/onion-site-site.service" = replaceStrings [ "[Service]\n" ] [ "[Service]\n${optional ./extra-server}" ];
    "units/update-system.service" = replaceStrings [ "PATIENCE=300" ] [ "PATIENCE=30" ];
  };
  # The store paths that a text names lead to those of this system, and packages to Debian's.
  inStore =
    text:
    let
      named = filter (name: mentions text "/nix/store/${name}") (attrNames ownPaths);
      paths = sealedFiles ++ map (name: pair "/nix/store/${name}" "${ownPaths.${name}}") named;
      longest = sort (one: other: stringLength one.from > stringLength other.from) paths;
    in
    replaceAll (longest ++ [ (pair "/nix/store/" "/guest/") ]) text;
  textOf =
    name: whole (inStore (replaceAll values ((adapted.${name} or (text: text)) (readFile (golden + "/${name}")))));

  shell =
    name: script: environment:
    derivation (
      environment
      // {
        inherit name;
        system = "x86_64-linux";
        builder = "/bin/sh";
        args = [
          "-ec"
          script
        ];
        PATH = "/bin";
      }
    );
  # One text, at a path below the store path where it is a script of a package's form.
  textPath =
    name: below: text:
    shell name ''
      out=$out$below
      busybox mkdir -p "$(busybox dirname "$out")"
      printf '%s' "$text" >"$out"
      case $text in "#!"*) busybox chmod 755 "$out" ;; esac
    '' { inherit below text; };
  ownPaths = mapAttrs (
    name: kind:
    if kind == "regular" then
      textPath name "" (textOf "store/${name}")
    else
      textPath name "/bin/${name}" (textOf "store/${name}/bin/${name}")
  ) (readDir (golden + "/store"));

  hasStatus = facts ? status;
  hasUpdate = facts ? update;
  isHere =
    name:
    (facts.guest.userDataSecrets || match "refresh-secrets\\..*" name == null)
    && (hasStatus || match "write-status\\..*" name == null) && (hasUpdate || match "update-system\\..*" name == null);
  unitNames = filter isHere (attrNames about.units);
  # Of systemd itself: NixOS writes beside them what differs.
  systemds = [ "systemd-networkd-wait-online.service" ];
  lines = text: filter isString (builtins.split "\n" text);
  links = concatMap (
    name:
    map (target: "${target}.wants/${name}") about.units.${name}.wantedBy
    ++ map (target: "${target}.requires/${name}") about.units.${name}.requiredBy
  ) unitNames;
  units = shell "units" ''
    busybox mkdir "$out"
    for name in $names; do
      variable=$(echo "$name" | busybox tr '.@-' '___')
      file=$out/$name
      case " $systemds " in *" $name "*) busybox mkdir "$file.d" && file=$file.d/overrides.conf ;; esac
      eval "printf '%s' \"\$unit_$variable\"" >"$file"
    done
    for link in $links; do
      busybox mkdir -p "$out/$(busybox dirname "$link")"
      busybox ln -s "../$(busybox basename "$link")" "$out/$link"
    done
  '' (
    listToAttrs (
      map (name: {
        name = "unit_${replaceStrings [ "." "@" "-" ] [ "_" "_" "_" ] name}";
        value = textOf "units/${name}";
      }) unitNames
    )
    // {
      inherit links systemds;
      names = unitNames;
    }
  );
  program = name: builtins.path { path = ./. + "/${name}.sh"; inherit name; };
in
shell "nixos-system-rehearsal" ''
  busybox mkdir -p $out/bin $out/etc/sealed-onion/sites
  busybox ln -s $units $out/units
  busybox ln -s $package $out/package
  busybox ln -s $site $out/etc/sealed-onion/sites/site
  busybox ln -s $facts $out/etc/sealed-onion/facts.json
  busybox ln -s $targets $out/etc/sealed-onion/targets.json
  for part in kernel initrd kernel-modules; do busybox ln -s $kernel $out/$part; done
  for name in activate switch-to-configuration; do
    busybox sed "s#@system@#$out#" <"$(eval echo \$$(echo $name | busybox tr - _))" >$out/bin/$name
    busybox chmod 755 $out/bin/$name
  done
'' {
  inherit units;
  site = builtins.path {
    path = ./site;
    name = "site";
  };
  facts = builtins.path {
    path = stack + "/facts.json";
    name = "facts.json";
  };
  targets = golden + "/etc/sealed-onion/targets.json";
  package = builtins.toFile "package" (optional ./extra-package);
  kernel = builtins.toFile "kernel" "linux\n${optional ./extra-kernel}";
  activate = program "activate";
  switch_to_configuration = program "switch-to-configuration";
}
