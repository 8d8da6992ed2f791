// A payment of a test person, through the routes that the pages use.
import { app, json, person, sim, until, WECHAT } from '../walk'
import { it } from './desk'

export interface Paid {
  id: string; no: string; name: string; status: string; out_trade_no: string; channel_no: string; cash: number; card_no: string; setl_id: string; fund: number
  account: number; total: number
}

/** orderOf reads a payment as IT does. */
export const orderOf = async (id: string) => json<Paid>(`${app}/api/collections/payment_orders/records/${id}`, { token: await it() })

/** authorise goes through WeChat's page as a patient does. */
async function authorise(token: string, code: string): Promise<void> {
  const q = new URLSearchParams({ channel: 'wechat', terminal: 'h5', back: 'http://hospital.example/back' })
  const { url } = await json<{ url: string }>(`${app}/api/hospay/insurance/authorisation?${q}`, { token })
  const page = url.includes('/oauth/code') ? `${url}&patient=${code}` : url
  const res = await fetch(page, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ for: '' }) })
  const authCode = new URL(res.headers.get('location')!).searchParams.get('authCode')
  await json(`${app}/api/hospay/insurance/authorisation`, { token, json: { channel: 'wechat', code: authCode } })
}

/** pays takes a bill of a test person to its end, through the routes that the pages use. */
export async function pays(code: string, fen: number, insured: boolean): Promise<Paid> {
  const who = await person(code, 'wechat')
  const { token } = await json<{ token: string }>(`${app}/api/hospay/auth/ticket`, { json: { ticket: who.ticket } })
  const { bill_no } = await json<{ bill_no: string }>(sim(2, '/_sim/bills'), { json: { patient: code, kind: 'outpatient', amount: fen, insurable: insured } })
  const card = who.cards[0]!
  await json(`${app}/api/hospay/bills?card_no=${card}`, { token })
  const wish: Record<string, unknown> = { bill_no, card_no: card, channel: 'wechat', terminal: 'mini', insured }
  if (insured) {
    const { benefits } = await json<{ benefits: { id: string }[] }>(
      `${app}/api/hospay/insurance/enrolment`, { token, json: { card_no: card, area: '440100' } })
    Object.assign(wish, { area: '440100', benefit: benefits[0]!.id })
    await json(`${app}/api/hospay/insurance/identity`, { token, json: { card_no: card, area: '440100', benefit: benefits[0]!.id, bill_no } })
    await json(`${app}/api/hospay/bills?card_no=${card}`, { token })
    await authorise(token, code)
  }
  const { id } = await json<{ id: string }>(`${app}/api/collections/payment_orders/records`, { token, json: wish })
  const order = await until('it can be paid', async () => {
    const o = await orderOf(id)
    return o.status === 'paying' && o
  })
  await json(sim(WECHAT, `/_sim/pay/${order.out_trade_no}`), { method: 'POST' })
  await json(`${app}/api/hospay/payments/${id}/check`, { token, json: {} })
  const done = await until('it is done', async () => {
    const o = await orderOf(id)
    return o.status === 'done' && o
  })
  return { ...done, name: who.name }
}
