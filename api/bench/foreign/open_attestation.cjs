// npm @govtechsg/open-attestation and oa-verify: `node open_attestation.cjs issue|verify`.
// Reads numbers of documents, one a line; answers each with "<documents> <seconds>". The first line it writes names its
// versions. Wrapping salts, hashes and builds the Merkle tree: no signature. Verifying checks the hashes alone: whether
// the document store issued it is a question to a chain, which is not asked here.
"use strict";
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const load = createRequire(process.cwd() + "/");
const oa = load("@govtechsg/open-attestation");
const version = (name) =>
  `${name.split("/")[1]} ${JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version}`;

const document = (number) => ({
  $template: { name: "CERTIFICATE", type: "EMBEDDED_RENDERER", url: "https://city.invalid" },
  issuers: [
    {
      name: "city",
      documentStore: "0x9178F546D3FF57D7A6352bD61B80cCCD46199C2d",
      identityProof: { type: "DNS-TXT", location: "city.invalid" },
    },
  ],
  number,
  ...Object.fromEntries([...Array(10)].map((_, i) => [`attribute_${i}`, `一个有代表性的值 ${i}`])),
});
const wrap = (size) => oa.wrapDocuments([...Array(size)].map((_, number) => document(number)));

async function verifying() {
  const { verificationBuilder, openAttestationHash } = load("@govtechsg/oa-verify");
  const { providers } = load("ethers");
  const verify = verificationBuilder([openAttestationHash], {
    provider: new providers.StaticJsonRpcProvider("http://127.0.0.1:1", { chainId: 1, name: "never asked" }),
  });
  const wrapped = await wrap(50);
  return async (size) => {
    for (let i = 0; i < size; i++) {
      const [fragment] = await verify(wrapped[i % wrapped.length]);
      if (fragment.status !== "VALID") throw new Error(JSON.stringify(fragment));
    }
  };
}

async function main() {
  const verifies = process.argv[2] === "verify";
  const work = verifies ? await verifying() : wrap;
  console.log(version(verifies ? "@govtechsg/oa-verify" : "@govtechsg/open-attestation"));
  for await (const line of createInterface({ input: process.stdin })) {
    const started = process.hrtime.bigint();
    await work(Number(line));
    console.log(`${Number(line)} ${Number(process.hrtime.bigint() - started) / 1e9}`);
  }
}
main();
