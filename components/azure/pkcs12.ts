import { runChild } from "../process/child-process";
import { ProgramMissing } from "../process/find-program";
import { LoginFailure } from "./login-failure";

/**
 * A PKCS #12 file (`.pfx`, which Pulumi's provider takes) as PEM, which is all that Azure's library for Node takes.
 * openssl opens it: the password and what is in the file go through pipes.
 * @param from the setting that names the file
 * @throws LoginFailure
 */
export async function pemOfPkcs12(file: string, password: string, from: string): Promise<string> {
  const argv = ["pkcs12", "-in", file, "-nodes", "-passin", "stdin"];
  const input = Buffer.from(`${password}\n`);
  const options = { input, deadlineMs: 30_000 };
  const opened = await runChild("openssl", argv, options).catch((error: unknown) => {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new LoginFailure(
      `${file} of ${from} is no PEM, and openssl, which opens others, is not on PATH: convert it`,
      false,
    );
  });
  const text = opened.stdout.toString("utf8");
  opened.stdout.fill(0);
  if (opened.code === 0 && text.includes("-----BEGIN CERTIFICATE")) return text;
  const isPassword = /mac verify|invalid password/i.test(opened.stderr);
  const why = isPassword ? "does not open with its password" : "is neither a PEM nor a PKCS #12 file";
  const remedy = isPassword ? "correct ARM_CLIENT_CERTIFICATE_PASSWORD" : `correct ${from}`;
  throw new LoginFailure(`${file} of ${from} ${why}: ${remedy}`, false);
}
