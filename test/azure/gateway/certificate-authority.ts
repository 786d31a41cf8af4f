import { createPrivateKey, generateKeyPair, webcrypto, X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import { isIP } from "node:net";
import * as path from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import { promisify } from "node:util";
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

/** Made in its encoded form and read again, as rsa-key.ts does and for the same reason. */
async function generatePair(): Promise<{ publicKey: webcrypto.CryptoKey; privateKeyPem: string }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", {
    namedCurve: ALGORITHM.namedCurve,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const imported = await webcrypto.subtle.importKey("spki", publicKey, ALGORITHM, true, ["verify"]);
  return { publicKey: imported, privateKeyPem: privateKey };
}

function readSigningKey(privateKeyPem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(privateKeyPem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

/** A new authority: kept by a caller that needs the same one twice. */
export async function createAuthorityPair(): Promise<AuthorityPair> {
  const { publicKey, privateKeyPem } = await generatePair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Azure on loopback, throw-away",
    ...validity(),
    keys: { publicKey, privateKey: await readSigningKey(privateKeyPem) },
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString("pem")}\n`, privateKeyPem };
}

async function signingKeyOf(pair: AuthorityPair): Promise<webcrypto.CryptoKey> {
  const fits = new X509Certificate(pair.certificatePem).checkPrivateKey(createPrivateKey(pair.privateKeyPem));
  if (!fits) throw new Error("the authority's private key is not the one of its certificate");
  return readSigningKey(pair.privateKeyPem);
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
    return createSecureContext({ key: leafKeys.privateKeyPem, cert: leaf.toString("pem"), minVersion: "TLSv1.2" });
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
