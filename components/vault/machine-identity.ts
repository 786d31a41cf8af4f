import type * as pulumi from "@pulumi/pulumi";

/** What a machine is known by to Key Vault. */
export interface MachineIdentity {
  readonly id: pulumi.Output<string>;
  readonly clientId: pulumi.Output<string>;
  readonly principalId: pulumi.Output<string>;
}
