# A unit that is tried again for ever, soon at first and then once a minute: plain data for `serviceConfig`. It takes
# `startLimitIntervalSec = 0` besides, or systemd gives it up after a few quick failures.
{
  Restart = "on-failure";
  RestartSec = "2s";
  RestartSteps = 6;
  RestartMaxDelaySec = "60s";
}
