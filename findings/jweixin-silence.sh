#!/usr/bin/env bash
# WeChat's script for pages (weixin-js-sdk 1.6.5, the newest on the registry) has no
# function that opens the confirmation of a merchant's transfer, nor one for the
# payment with medical insurance: a page asks WeixinJSBridge for both. And a call
# of miniProgram tells neither success nor failure where there is no bridge, so
# that whoever waits for one of them waits for ever.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm init -y >/dev/null
npm install --silent --no-audit --no-fund weixin-js-sdk@1.6.5 happy-dom@20.0.10

cat >see.mjs <<'JS'
import { createRequire } from 'node:module'
import { Window } from 'happy-dom'

const require = createRequire(import.meta.url)
const wechat = 'Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50'

/** sdk loads the script in a page of its own; it looks at its surroundings when it is loaded. */
function sdk(agent, bridge) {
  const page = new Window({ url: 'https://hospital.example/' })
  Object.defineProperty(page.navigator, 'userAgent', { value: agent })
  if (bridge) page.WeixinJSBridge = bridge
  for (const [name, value] of Object.entries({ window: page, document: page.document, navigator: page.navigator, location: page.location, WeixinJSBridge: bridge })) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  for (const file of Object.keys(require.cache)) delete require.cache[file]
  return require('weixin-js-sdk')
}

const bridge = { invoke: (name, args, told) => told({ err_msg: `${name}:ok` }), on() {} }
const wx = sdk(wechat, bridge)
for (const name of ['chooseWXPay', 'requestMerchantTransfer', 'requestMedicalInsurancePay']) console.log(`${name}: ${typeof wx[name]}`)
for (const [where, agent, b] of [['in WeChat', wechat, bridge], ['in WeChat, no bridge', wechat], ['elsewhere', 'Mozilla/5.0 (X11; Linux x86_64)']]) {
  const told = []
  const o = { url: '/pages/pay/pay', success: () => told.push('success'), fail: () => told.push('fail'), complete: () => told.push('complete') }
  sdk(agent, b).miniProgram.navigateTo(o)
  await new Promise((done) => setTimeout(done, 500))
  console.log(`navigateTo ${where}: ${told.join(', ') || 'nothing'}`)
}
process.exit(0)
JS

cat >want <<'TXT'
chooseWXPay: function
requestMerchantTransfer: undefined
requestMedicalInsurancePay: undefined
navigateTo in WeChat: success, complete
navigateTo in WeChat, no bridge: nothing
navigateTo elsewhere: nothing
TXT

echo "weixin-js-sdk 1.6.5, node $(node --version)"
node see.mjs | tee seen
if ! diff want seen; then
  echo "changed: see the lines above" >&2
  exit 1
fi
