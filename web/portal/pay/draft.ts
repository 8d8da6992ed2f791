// What a patient has chosen on the way to a payment. It survives the trip to the
// credential's page, a reload of the webview and the end of a session: it lies on
// the phone under the patient's id for a day. Area and benefit stay for the next
// bill.
import { reactive, watch } from 'vue'
import type { BillView } from '@shared/answers'
import { newId } from '@shared/api'
import { store, storedAs } from '@shared/storage'
import { inMini, patientId } from '../session'

export interface PayDraft {
  cardNo: string
  bill: BillView | null // as it was shown
  way: '' | 'insured' | 'self' | 'counter' // how the bill is to be paid
  slot: string // that is kept for the patient until the bill of it is paid
  area: string
  areaName: string
  benefit: string
  benefitName: string
  id: string // of the order
  tried: string // the content that was sent under the id
}

const empty = (): PayDraft => ({ cardNo: '', bill: null, way: '', slot: '', area: '', areaName: '', benefit: '', benefitName: '', id: '', tried: '' })

const DAY = 86_400_000
const key = () => `hospay_draft_pay_${patientId()}`

export const pay = reactive<PayDraft>(empty())
let owner = ''

/** openPay loads what whoever is logged in has chosen. */
export function openPay(): PayDraft {
  if (owner !== patientId()) {
    owner = ''
    const held = storedAs<{ at: number; draft: Partial<PayDraft> }>(key())
    Object.assign(pay, empty(), held && Date.now() - held.at < DAY ? held.draft : {})
    owner = patientId()
  }
  return pay
}

watch(pay, () => {
  if (owner) store(key(), { at: Date.now(), draft: pay })
})

/** choose begins with another bill; the same one keeps what was chosen. */
export function choose(cardNo: string, bill: BillView, slot = ''): void {
  openPay()
  if (pay.bill?.bill_no !== bill.bill_no || pay.cardNo !== cardNo) Object.assign(pay, { id: '', tried: '', way: '' })
  if (pay.cardNo !== cardNo) Object.assign(pay, { area: '', areaName: '', benefit: '', benefitName: '' })
  Object.assign(pay, { cardNo, bill, slot })
}

/**
 * wish is what is sent to pay the chosen bill. One id is one content: the same
 * wish keeps its id however often it is sent, another one gets a new id.
 */
export function wish(channel: string, insured: boolean): Record<string, unknown> {
  const content: Record<string, unknown> = { bill_no: pay.bill?.bill_no ?? '', card_no: pay.cardNo, channel, terminal: inMini() ? 'mini' : 'h5', insured }
  if (insured) Object.assign(content, { area: pay.area, benefit: pay.benefit })
  const now = JSON.stringify(content)
  if (!pay.id || (pay.tried && pay.tried !== now)) pay.id = newId()
  pay.tried = now
  return { ...content, id: pay.id }
}

/** settled forgets the order of the wish: it exists, or nothing has come of it. */
export function settled(): void {
  Object.assign(pay, { id: '', tried: '' })
}
