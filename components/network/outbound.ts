export const OUTBOUND = ["publicIp", "natGateway", "subnet"] as const;

/** How a machine reaches the internet; nothing reaches the machine. */
export type Outbound = (typeof OUTBOUND)[number];
