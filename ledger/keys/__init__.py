"""Keys at rest: an encrypted file, behind the `Signer` and `Wrapper` ports that PKCS#11 or a KMS can also fill."""
