# The sandbox that every unit of ours shares; each says what it needs beyond it. Plain data for `serviceConfig`.
# https://www.freedesktop.org/software/systemd/man/systemd.exec.html#Sandboxing
{
  capabilities ? [ ], # "CAP_…"
  writable ? [ ], # folders; all else is read-only
  addressFamilies ? [
    "AF_UNIX"
    "AF_INET"
    "AF_INET6"
  ],
  devices ? [ ], # DeviceAllow lines beside the harmless ones (null, zero, random …)
}:
{
  CapabilityBoundingSet = capabilities;
  DevicePolicy = "closed";
  DeviceAllow = devices;
  LockPersonality = true;
  MemoryDenyWriteExecute = true;
  NoNewPrivileges = true;
  PrivateTmp = true;
  ProcSubset = "pid";
  ProtectClock = true;
  ProtectControlGroups = true;
  ProtectHome = true;
  ProtectHostname = true;
  ProtectKernelLogs = true;
  ProtectKernelModules = true;
  ProtectKernelTunables = true;
  ProtectProc = "invisible";
  ProtectSystem = "strict";
  ReadWritePaths = writable;
  RemoveIPC = true;
  RestrictAddressFamilies = addressFamilies;
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  SystemCallArchitectures = "native";
  SystemCallFilter = [
    "@system-service"
    "~@privileged @resources"
  ]
  ++ (if builtins.elem "CAP_CHOWN" capabilities then [ "@chown" ] else [ ]);
  UMask = "0077";
}
