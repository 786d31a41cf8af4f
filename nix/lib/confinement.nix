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
  addresses ? null, # the only ones to talk to; null for all
  umask ? "0077",
}:
{
  # An empty list would write no line at all, and leave every capability.
  CapabilityBoundingSet = if capabilities == [ ] then "" else capabilities;
  LimitCORE = 0; # a core file would hold what is in memory
  LockPersonality = true;
  MemoryDenyWriteExecute = true;
  NoNewPrivileges = true;
  PrivateDevices = true;
  PrivateMounts = true;
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
  UMask = umask;
}
// (
  if addresses == null then
    { }
  else
    {
      IPAddressDeny = "any";
      IPAddressAllow = addresses;
    }
)
