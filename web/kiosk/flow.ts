// Where a kiosk stands: one state in memory, that an idle minute, an end or a
// reload empties. The server owns what was begun; who comes again finds it.
import { reactive } from 'vue'
import type { BillView, DeviceView, OpenView, PaymentView, StandingView } from '@shared/answers'
import { Failure, newId } from '@shared/api'
import { ask, entered, forgetDevice, keepDevice, stands, whenLost } from './api'

export type Step = 'loading' | 'enrol' | 'start' | 'identify' | 'bills' | 'departments' | 'slots' | 'ways' | 'insurance' | 'pay'
export type Kind = 'outpatient' | 'registration'

/** Visit is what one person does at a kiosk. */
interface Visit {
  kind: Kind
  person: StandingView | null
  cardNo: string
  department: { code: string; name: string } | null
  bill: BillView | null
  slot: string // that is kept until its bill is paid
  area: string
  areaName: string
  benefit: string
  id: string // of the order that is being made: the same wish is one order however often it is sent
  wish: string
  order: PaymentView | null
}

const nobody = (): Visit => ({
  kind: 'outpatient', person: null, cardNo: '', department: null, bill: null, slot: '', area: '', areaName: '', benefit: '', id: '', wish: '', order: null,
})

export const visit = reactive<Visit>(nobody())
export const kiosk = reactive({ step: 'loading' as Step, device: null as DeviceView | null, note: '', working: false })

const titles: Record<Step, string> = {
  loading: '请稍候', enrol: '登记本机', start: '请选择业务', identify: '请证明身份', bills: '待缴费用', departments: '选择科室', slots: '选择医生和时间',
  ways: '选择缴费方式', insurance: '医保信息', pay: '缴费',
}
export const title = () => titles[kiosk.step]

/** begin finds out whether this device is a kiosk. */
export async function begin(): Promise<void> {
  if (!entered()) {
    kiosk.step = 'enrol'
    return
  }
  try {
    kiosk.device = await ask<DeviceView>('GET', '/api/hospay/kiosk')
    await leave() // whoever stood here before the power went is gone
  } catch (err) {
    if (err instanceof Failure && err.code === 'kiosk_unknown') return
    kiosk.note = err instanceof Failure ? err.message : ''
    setTimeout(begin, 5000)
  }
}

/** enrol makes a kiosk of this device. */
export async function enrol(code: string): Promise<void> {
  const { token, ...device } = await ask<DeviceView>('POST', '/api/hospay/kiosk/enrol', { code })
  keepDevice(token ?? '')
  kiosk.device = device
  kiosk.note = ''
  kiosk.step = 'start'
}

/** leave ends whoever stands here and erases all that is known of them. A slot that nobody pays is given back. */
export async function leave(note = ''): Promise<void> {
  const { slot, cardNo, order, person } = visit
  const path = `/api/hospay/slots/${encodeURIComponent(slot)}/lock?card_no=${encodeURIComponent(cardNo)}`
  const back = slot && !order && person ? ask('DELETE', path).catch(() => {}) : Promise.resolve()
  Object.assign(visit, nobody())
  kiosk.note = note
  kiosk.working = false
  kiosk.step = 'start'
  await back
  stands('')
  await ask('DELETE', '/api/hospay/kiosk/person').catch(() => {}) // the server forgets by itself, too
}

whenLost((what) => {
  stands('')
  Object.assign(visit, nobody())
  kiosk.working = false
  if (what === 'device') {
    forgetDevice()
    kiosk.device = null
    kiosk.note = '本机没有登记，或已经停用。请联系信息科取得设备码。'
    kiosk.step = 'enrol'
  } else {
    kiosk.note = '操作时间已到，请重新开始。已经付的钱不会丢，请勿重复支付。'
    kiosk.step = 'start'
  }
})

/** start is what somebody has come for. */
export function start(kind: Kind): void {
  Object.assign(visit, nobody(), { kind })
  kiosk.note = ''
  kiosk.step = 'identify'
}

/** stand notes who stands here, and goes on with what they have begun before. */
export async function stand(way: string, no: string, name = ''): Promise<void> {
  const person = await ask<StandingView>('POST', '/api/hospay/kiosk/person', { way, no, name, kind: visit.kind })
  stands(person.person)
  visit.person = { ...person, person: '' } // the handle is with the calls
  visit.cardNo = person.cards[0]?.card_no ?? ''
  const { payments } = await ask<OpenView>('GET', '/api/hospay/kiosk/open')
  const open = payments[0]
  if (open) {
    visit.order = open
    kiosk.note = open.status === 'done' ? '这是您刚才的缴费，已经完成。' : '找到您没有办完的一笔缴费，请继续，不要重复支付。'
    kiosk.step = 'pay'
    return
  }
  kiosk.note = ''
  first()
}

/** first is where a visit begins once it is known who stands here. */
export function first(): void {
  Object.assign(visit, { department: null, bill: null, slot: '', area: '', areaName: '', benefit: '', id: '', wish: '', order: null })
  kiosk.step = visit.kind === 'registration' ? 'departments' : 'bills'
}

/** choose goes on with a bill. */
export function choose(bill: BillView, slot = ''): void {
  Object.assign(visit, { bill, slot, id: '', wish: '', order: null })
  kiosk.step = 'ways'
}

/** pay makes the order of the chosen bill. What was not answered is sent again under the same id. */
export async function pay(channel: string, insured: boolean): Promise<void> {
  const content: Record<string, unknown> = { bill_no: visit.bill?.bill_no ?? '', card_no: visit.cardNo, channel, terminal: 'kiosk', insured }
  if (insured) Object.assign(content, { area: visit.area, benefit: visit.benefit })
  const wish = JSON.stringify(content)
  if (!visit.id || visit.wish !== wish) Object.assign(visit, { id: newId(), wish })
  let made: { id: string }
  try {
    made = await ask<{ id: string }>('POST', '/api/collections/payment_orders/records', { ...content, id: visit.id })
  } catch (err) {
    if (err instanceof Failure && err.status >= 400 && err.status < 500) visit.id = ''
    throw err
  }
  await open(made.id)
}

/** open shows an order. */
export async function open(id: string): Promise<void> {
  visit.order = await ask<PaymentView>('GET', `/api/hospay/payments/${id}`)
  kiosk.note = ''
  kiosk.step = 'pay'
}

/** giveBack lets a slot go that is kept for nobody any more. */
export async function giveBack(): Promise<void> {
  if (visit.slot) await ask('DELETE', `/api/hospay/slots/${encodeURIComponent(visit.slot)}/lock?card_no=${encodeURIComponent(visit.cardNo)}`)
  Object.assign(visit, { bill: null, slot: '' })
  kiosk.step = 'slots'
}
