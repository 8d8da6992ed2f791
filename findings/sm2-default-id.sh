#!/usr/bin/env bash
# sm-crypto signs another thing by default since its hash option changed: 0.3.13
# signs the bare bytes of the message, 0.5.8 its digest with the default user id.
# So a signature of one is refused by the other until both name the option.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm init -y >/dev/null
npm install --silent --no-audit --no-fund new@npm:sm-crypto@0.5.8 old@npm:sm-crypto@0.3.13

cat >see.js <<'JS'
const sides = { '0.5.8': require('new').sm2, '0.3.13': require('old').sm2 }
const keys = sides['0.5.8'].generateKeyPairHex()
const message = 'hello'
const ways = { absent: undefined, true: { hash: true }, false: { hash: false } }
for (const [signer, s] of Object.entries(sides)) {
  const signature = s.doSignature(message, keys.privateKey)
  for (const [verifier, v] of Object.entries(sides)) {
    const taken = Object.entries(ways).filter(([, o]) => v.doVerifySignature(message, signature, keys.publicKey, o)).map(([name]) => name)
    console.log(`signed by ${signer} without options: ${verifier} verifies with hash ${taken.join(', ')}`)
  }
}
JS

cat >want <<'TXT'
signed by 0.5.8 without options: 0.5.8 verifies with hash absent, true
signed by 0.5.8 without options: 0.3.13 verifies with hash true
signed by 0.3.13 without options: 0.5.8 verifies with hash false
signed by 0.3.13 without options: 0.3.13 verifies with hash absent, false
TXT

echo "sm-crypto 0.5.8 and 0.3.13, node $(node --version)"
node see.js | tee seen
if ! diff want seen; then
  echo "changed: see the lines above" >&2
  exit 1
fi
