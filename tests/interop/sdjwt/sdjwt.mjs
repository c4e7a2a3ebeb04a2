// The npm libraries as the other side: `verify` checks a certificate of ours with its status, `issue` makes one for us.
// One JSON object on standard input, one on standard output. Nothing of certledger runs here.
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';

const ES256 = { name: 'ECDSA', hash: 'SHA-256' };
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const bytes = (text) => new TextEncoder().encode(text);

const verifierFor = async (jwk) => {
  const key = await webcrypto.subtle.importKey('jwk', jwk, CURVE, true, ['verify']);
  return (data, signature) =>
    webcrypto.subtle.verify(ES256, key, Buffer.from(signature, 'base64url'), bytes(data));
};

const common = {
  hasher: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
  hashAlg: 'sha-256',
  signAlg: 'ES256',
  saltGenerator: (length) => randomBytes(length).toString('base64url'),
};

const verify = async ({ credential, jwk, lists, listJwk }) => {
  const seen = [];
  const instance = new SDJwtVcInstance({
    ...common,
    verifier: await verifierFor(jwk),
    statusVerifier: await verifierFor(listJwk),
    statusListFetcher: async (uri) => lists[uri],
    statusValidator: async (status) => {
      seen.push(status);
      if (status !== 0) throw new Error(`status ${status}`);
    },
  });
  try {
    const { payload } = await instance.verify(credential);
    return { valid: true, payload, seen };
  } catch (error) {
    return { valid: false, error: error.message, seen };
  }
};

const issue = async ({ claims, frame }) => {
  const pair = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const instance = new SDJwtVcInstance({
    ...common,
    signer: async (data) =>
      Buffer.from(await webcrypto.subtle.sign(ES256, pair.privateKey, bytes(data))).toString('base64url'),
  });
  const credential = await instance.issue(claims, { _sd: frame });
  return { credential, jwk: await webcrypto.subtle.exportKey('jwk', pair.publicKey) };
};

let input = '';
for await (const chunk of process.stdin) input += chunk;
const answer = await { verify, issue }[process.argv[2]](JSON.parse(input));
process.stdout.write(JSON.stringify(answer));
