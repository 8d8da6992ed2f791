// A hospital that nobody here wrote: its envelope is made with sm-crypto, from
// the published description alone. It walks one bill through the simulator of
// the insurance centre and tries what must be refused.
//   node tests/centre.mjs http://127.0.0.1:9104
// The test sim/centre/outside_test.go runs it.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import smCrypto from 'sm-crypto'

const { sm2, sm4 } = smCrypto
const base = process.argv[2]
const hex = (text) => Buffer.from(text, 'utf8').toString('hex')
const upper = (text) => text.toUpperCase()

/** contentKey is the SM4 key, as hex: 16 characters of the hidden secret. */
const contentKey = (appId, secret) => hex(upper(sm4.encrypt(secret, hex(appId.slice(0, 16)))).slice(0, 16))

const empty = (v) => v === null || v === undefined || v === '' || (typeof v === 'object' && Object.keys(v).length === 0)

/** sorted drops what is empty and puts keys in order, at every level. */
function sorted(v) {
  if (Array.isArray(v)) return v.map(sorted)
  if (v === null || typeof v !== 'object') return v
  const out = {}
  for (const k of Object.keys(v).sort()) {
    const x = sorted(v[k])
    if (!empty(x)) out[k] = x
  }
  return out
}

function signText(envelope, secret) {
  const parts = []
  for (const [k, v] of Object.entries(sorted(envelope))) {
    if (['signData', 'encData', 'extra'].includes(k)) continue
    parts.push(`${k}=${typeof v === 'object' ? JSON.stringify(v) : v}`)
  }
  return `${parts.join('&')}&key=${secret}`
}

// The known answers of the description.
const sample = {
  appId: '43AF047BBA47FC8A1AE8EFB232BDBBCB', appUserId: 'o8z4C5avQXqC0aWFPf1Mzu6D7WCQ_bd', idNo: '350181199011193519', idType: '01',
  phoneNumber: '13763873033', userName: '测试',
}
const sampleKey = contentKey(sample.appId, '4117E877F5FA0A0188891283E4B617D5')
assert.equal(Buffer.from(sampleKey, 'hex').toString(), '863B5F40C70B71EA')
assert.match(upper(sm4.encrypt(JSON.stringify(sample), sampleKey)), /^64A9C5A7AB3AEA5FC01DE87025F99952.*AEF8D0699C425$/)

const centre = await (await fetch(`${base}/_sim/config`)).json()
const key = contentKey(centre.app_id, centre.app_secret)
const own = Buffer.from(centre.private_key, 'base64').toString('hex')
const theirs = Buffer.from(centre.platform_key, 'base64').toString('hex')
const userId = centre.sm2_user_id

const stamp = (at) => new Date(at.getTime() + 8 * 3600_000).toISOString().replace(/[^0-9]/g, '').slice(0, 14)

function seal(data, { at = new Date(), appId = centre.app_id, id = userId, secret = centre.app_secret, change = (e) => e } = {}) {
  const envelope = { appId, encType: 'SM4', signType: 'SM2', timestamp: stamp(at), version: centre.version, data: sorted(data) }
  const signature = sm2.doSignature(signText(envelope, secret), own, { hash: true, userId: id })
  const encData = upper(sm4.encrypt(JSON.stringify(envelope.data), key))
  delete envelope.data
  return change({ ...envelope, encData, signData: Buffer.from(signature, 'hex').toString('base64') })
}

/** open verifies what the centre has said, and shows its data. */
function open(envelope) {
  const data = envelope.encData ? JSON.parse(sm4.decrypt(envelope.encData.toLowerCase(), key)) : undefined
  const signature = Buffer.from(envelope.signData, 'base64')
  assert.equal(signature.length, 64)
  assert.ok(sm2.doVerifySignature(signText({ ...envelope, data }, centre.app_secret), signature.toString('hex'), theirs, { hash: true, userId }))
  return data
}

async function post(no, data, how) {
  const body = JSON.stringify(seal(data, how))
  const res = await fetch(base + centre.paths[no], { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  assert.equal(res.status, 200)
  return res.json()
}

async function done(no, data) {
  const envelope = await post(no, data)
  assert.ok(envelope.success && Number(envelope.code) === 0, `${no}: ${envelope.code} ${envelope.message}`)
  return open(envelope)
}

const control = async (path, body) => {
  const res = await fetch(base + path, { method: 'POST', body: body && JSON.stringify(body) })
  assert.equal(res.status, 200, await res.text())
}

const person = { idNo: '440106198805121234', userName: '司徒<外>&人', idType: '01' }
let count = 0
const bill = () => {
  const no = `N${Date.now()}${++count}`
  return {
    orgCodg: centre.org_code, psnNo: 'P1', insutype: '310', medOrgOrd: no, begntime: '2026-11-28 09:00:00', ...person, ecToken: `EC${no}`, insuCode: '440100',
    uldLatlnt: '0,0', chrgBchno: no, iptOtpNo: 'MZ1', medType: '11', feeType: '01', deptCode: '0301', deptName: '内科', caty: 'A03', psnSetlway: '01',
    pubHospRfomFlag: '1', medfeeSumamt: '100.00', memo: '', feedetailList: [
      { feedetlSn: '1', medType: '11', medListCodg: 'X1', medListName: '药/"甲"', cnt: '1', pric: '100.00', detItemFeeSumamt: '100.00', empty: {} },
    ],
  }
}
const ref = (up) => ({ payOrdId: up.payOrdId, payToken: up.payToken, orgCodg: centre.org_code, ...person })

const notices = []
const hospital = createServer((req, res) => {
  let body = ''
  req.on('data', (part) => { body += part })
  req.on('end', () => { notices.push(JSON.parse(body)); res.end() })
})
await new Promise((ready) => { hospital.listen(0, '127.0.0.1', ready) })
await control('/_sim/settings', { notice_url: `http://127.0.0.1:${hospital.address().port}/` })

// Uploaded, priced, undone.
let b = bill()
let up = await done('6201', b)
let price = await done('6202', { ...ref(up), orgBizSer: `S${up.payOrdId}`, chrgBchno: b.chrgBchno })
assert.equal(price.ordStas, '1')
await done('6401', ref(up))
assert.equal((await done('6301', ref(up))).ordStas, '12')

// Priced as asked for, paid, told, given back.
await control('/_sim/split', { id_no: person.idNo, fund: 6000, account: 1500, family: 500 })
b = bill()
up = await done('6201', b)
price = await done('6202', { ...ref(up), orgBizSer: `S${up.payOrdId}`, chrgBchno: b.chrgBchno })
assert.deepEqual([price.feeSumamt, price.fundPay, price.psnAcctPay, price.ownPayAmt, price.acctMulaidPay], ['100.00', '60.00', '15.00', '25.00', '5.00'])
await control(`/_sim/pay/${b.medOrgOrd}`)
const paid = await done('6301', ref(up))
assert.deepEqual([paid.ordStas, paid.fundPay, paid.medOrgOrd, paid.setlType], ['6', '60.00', b.medOrgOrd, 'ALL'])
for (let i = 0; i < 200 && notices.length === 0; i++) await new Promise((later) => { setTimeout(later, 20) })
assert.equal(open(notices[0]).medOrgOrd, b.medOrgOrd)
const refund = {
  payOrdId: up.payOrdId, appRefdSn: `R${up.payOrdId}`, appRefdTime: stamp(new Date()), totlRefdAmt: '100.00', psnAcctRefdAmt: '15.00', fundRefdAmt: '60.00',
  cashRefdAmt: '25.00', refdType: 'ALL', ecToken: 'EC2',
}
assert.equal((await done('6203', refund)).refStatus, 'SUCC')
assert.equal((await done('6301', ref(up))).ordStas, '7')
const ledger = (await (await fetch(`${base}/_sim/ledger`)).json()).entries
assert.deepEqual(ledger.map((e) => [e.kind, e.no, e.amount]), [['fund', b.medOrgOrd, 6000], ['account', b.medOrgOrd, 1500], ['reversal', b.medOrgOrd, 7500]])

// What is not right is refused, and nothing of it is taken.
const wrong = {
  'another user id': { id: 'ALICE' }, 'another secret': { secret: 'x'.repeat(32) }, 'another application': { appId: `5${centre.app_id.slice(1)}` },
  stale: { at: new Date(Date.now() - 11 * 60_000) }, ahead: { at: new Date(Date.now() + 11 * 60_000) },
  'changed application': { change: (e) => ({ ...e, appId: `5${e.appId.slice(1)}` }) },
  'changed time': { change: (e) => ({ ...e, timestamp: stamp(new Date(Date.now() + 5000)) }) },
  'tampered data': { change: (e) => ({ ...e, encData: e.encData.slice(32) + e.encData.slice(0, 32) }) },
  'no signature': { change: (e) => ({ ...e, signData: '' }) },
}
for (const [name, how] of Object.entries(wrong)) {
  const envelope = await post('6201', bill(), how)
  assert.ok(envelope.success === false && Number(envelope.code) !== 0 && !envelope.encData, `${name}: ${JSON.stringify(envelope)}`)
}
assert.equal((await (await fetch(`${base}/_sim/orders`)).json()).orders.length, 2)
hospital.close()
hospital.closeAllConnections()
console.log(`ok: ${Object.keys(wrong).length} refused`)
