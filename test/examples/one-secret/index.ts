import * as pulumi from "@pulumi/pulumi";
import { declareSecret, SealedSecret } from "sealed-onion";

/** One secret, sealed by a key that is there already: `sealed/STACK/api-token.sops.json`, to be committed. */
const config = new pulumi.Config();
const token = new SealedSecret("api-token", {
  stack: pulumi.getStack(),
  declaration: declareSecret("api-token", { source: { file: config.require("tokenFile") } }),
  keyUrl: config.require("keyUrl"), // https://NAME.vault.azure.net/keys/KEY/VERSION
  recipients: { age: [config.require("recoveryKey")], pgp: [] },
});

/** SHA-256 of the sealed file. */
export const sealed = token.digest;
