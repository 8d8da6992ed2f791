// The draft of an application. It survives a reload of the webview, also while
// the camera or WeChat's authorisation page is in front, and the end of a
// session: it is kept on the phone under the patient's id for a day.
import { reactive, watch } from 'vue'
import type { Method } from '@shared/answers'
import { newId } from '@shared/api'
import { store, storedAs, storedKeys, unstore } from '@shared/storage'
import { patientId } from './session'

export interface PlannedOrder {
  id: string
  method: Method
  channel: string
  amount: number
  deposit_no: string
  sent: boolean
  tried: string // the content that was sent under the id and not answered yet
}

export interface Draft {
  proxy: string
  noticeVersion: string
  accepted: boolean
  begun: boolean // the notice is behind, and nothing is handed in
  cardNo: string
  cardName: string
  amount: number // fen
  refundable: number
  asOf: string
  byTransfer: boolean // all of it, also what could go back the way it came
  channel: string // wechat, alipay, or none yet
  payeeMask: string // whose name the payee must bear, masked
  bound: boolean // the payee's account at the channel is known
  payeeName: string
  payeeAccount: string
  phone: string
  group: string
  orders: PlannedOrder[]
}

function empty(): Draft {
  return {
    proxy: '', noticeVersion: '', accepted: false, begun: false, cardNo: '', cardName: '', amount: 0, refundable: 0, asOf: '', byTransfer: false,
    channel: '', payeeMask: '', bound: false, payeeName: '', payeeAccount: '', phone: '', group: '', orders: [],
  }
}

const DAY = 86_400_000
const key = () => `hospay_draft_${patientId()}`

export const draft = reactive<Draft>(empty())
let owner = ''

/** openDraft loads the draft of whoever is logged in. */
export function openDraft(): Draft {
  if (owner !== patientId()) {
    owner = ''
    Object.assign(draft, empty(), read())
    owner = patientId()
  }
  return draft
}

function read(): Partial<Draft> {
  const held = storedAs<{ at: number; draft: Partial<Draft> }>(key())
  return held && Date.now() - held.at < DAY ? held.draft : {}
}

watch(draft, () => {
  if (owner) store(key(), { at: Date.now(), draft })
})

/** startDraft begins anew, for oneself or for the principal of a proxy application. */
export function startDraft(proxy = ''): void {
  openDraft()
  Object.assign(draft, empty(), { proxy })
}

/** endDraft forgets the draft once its orders exist. */
export function endDraft(): void {
  Object.assign(draft, empty())
  unstore(key())
}

/**
 * plan fixes the orders of the wish with their ids. The same plan keeps its
 * ids, so that however often it is sent, it is one set of orders. A changed
 * plan gets new ids unless a part of it has been sent.
 */
export function plan(routes: Omit<PlannedOrder, 'id' | 'sent' | 'tried'>[]): void {
  const same = routes.length === draft.orders.length && routes.every((r, i) => {
    const o = draft.orders[i]
    return o && o.method === r.method && o.channel === r.channel && o.amount === r.amount && o.deposit_no === r.deposit_no
  })
  if (same || draft.orders.some((o) => o.sent)) return
  draft.group = newId()
  draft.orders = routes.map((r) => ({ ...r, id: newId(), sent: false, tried: '' }))
}

/** body is the application of a planned order, but for its id and its group. */
function body(o: PlannedOrder): Record<string, unknown> {
  const out: Record<string, unknown> = {
    card_no: draft.cardNo, amount: o.amount, method: o.method, channel: o.channel,
    // what goes back the way it came goes to the card's holder: a proxy types no name for it
    payee_name: draft.proxy && o.method === 'original' ? '' : draft.payeeName.trim(),
    notify_phone: draft.phone.trim(), notice_version: draft.noticeVersion,
  }
  if (o.deposit_no) out.deposit_no = o.deposit_no
  if (o.method === 'transfer' && draft.payeeAccount) out.payee_account = draft.payeeAccount.trim()
  if (draft.proxy) out.proxy_application = draft.proxy
  return out
}

/**
 * application is what is sent for a planned order. One id is one content: when
 * anything has changed since an attempt without an answer, the order gets a new
 * id, and a new group, so that the server sees an order that arrived after all.
 */
export function application(o: PlannedOrder): Record<string, unknown> {
  const content = body(o)
  const now = JSON.stringify(content)
  if (o.tried && o.tried !== now) {
    o.id = newId()
    draft.group = newId()
  }
  o.tried = now
  return { ...content, id: o.id, group: draft.group }
}

/** refused gives an order that was refused a new id: nothing has come of the old one. */
export function refused(o: PlannedOrder): void {
  o.id = newId()
  o.tried = ''
}

/** sweep removes drafts of everybody that are older than a day. */
export function sweep(): void {
  for (const k of storedKeys('hospay_draft_')) {
    const held = storedAs<{ at?: number }>(k)
    if (!held?.at || Date.now() - held.at >= DAY) unstore(k)
  }
}

/** cardsPath asks for the cards of whom the application is for. */
export const cardsPath = () => `/api/hospay/cards${draft.proxy ? `?proxy=${encodeURIComponent(draft.proxy)}` : ''}`

/** optionsPath asks how an amount of the card can go back. */
export function optionsPath(amount: number): string {
  const q = new URLSearchParams({ card_no: draft.cardNo, amount: String(amount) })
  if (draft.channel) q.set('prefer', draft.channel)
  if (draft.proxy) q.set('proxy', draft.proxy)
  if (draft.byTransfer) q.set('method', 'transfer')
  return `/api/hospay/options?${q}`
}
