import { createPrivateKey, KeyObject, webcrypto, X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import { isIP } from "node:net";
import * as path from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import "reflect-metadata"; // what x509 is built with wants it before it is loaded
import * as x509 from "@peculiar/x509";

/** An existing authority, PEM: a virtual machine test bakes one into its machines. */
export interface AuthorityPair {
  certificatePem: string;
  /** PKCS#8, an EC P-256 key. */
  privateKeyPem: string;
}

/** A throw-away certificate authority: only clients that are handed `certificateFile` trust it. */
export interface CertificateAuthority {
  certificatePem: string;
  /** Where the certificate lies, for SSL_CERT_FILE and the like. */
  certificateFile: string;
  /** What a server needs to speak for `host`; made once a host. */
  contextFor(host: string): Promise<SecureContext>;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 30 * DAY_MS) };
}

function generatePair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

function pemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}

/** A new authority: kept by whoever needs the same one twice. */
export async function createAuthorityPair(): Promise<AuthorityPair> {
  const keys = await generatePair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Azure on loopback, throw-away",
    ...validity(),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString("pem")}\n`, privateKeyPem: pemOf(keys.privateKey) };
}

async function signingKeyOf(pair: AuthorityPair): Promise<webcrypto.CryptoKey> {
  const fits = new X509Certificate(pair.certificatePem).checkPrivateKey(createPrivateKey(pair.privateKeyPem));
  if (!fits) throw new Error("the authority's private key is not the one of its certificate");
  const der = createPrivateKey(pair.privateKeyPem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

/**
 * @param directory where `ca.pem` is written; nothing private is
 * @param existing an authority to use in place of a new one
 */
export async function createCertificateAuthority(
  directory: string,
  existing?: AuthorityPair,
): Promise<CertificateAuthority> {
  const pair = existing ?? (await createAuthorityPair());
  const signingKey = await signingKeyOf(pair);
  const certificate = new x509.X509Certificate(pair.certificatePem);
  const leafKeys = await generatePair();
  const leafKeyPem = pemOf(leafKeys.privateKey);
  const { certificatePem } = pair;
  const certificateFile = path.join(directory, "ca.pem");
  fs.writeFileSync(certificateFile, certificatePem);
  const contexts = new Map<string, Promise<SecureContext>>();

  async function issue(host: string): Promise<SecureContext> {
    const leaf = await x509.X509CertificateGenerator.create({
      subject: [{ CN: [host.slice(0, 64)] }],
      issuer: certificate.subjectName,
      ...validity(),
      publicKey: leafKeys.publicKey,
      signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: isIP(host) ? "ip" : "dns", value: host }]),
        await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
      ],
    });
    return createSecureContext({ key: leafKeyPem, cert: leaf.toString("pem"), minVersion: "TLSv1.2" });
  }

  return {
    certificatePem,
    certificateFile,
    contextFor(host) {
      const known = contexts.get(host) ?? issue(host);
      contexts.set(host, known);
      return known;
    },
  };
}
