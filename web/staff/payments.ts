// The filter of the list of payments, kept in the address, and what the pages of
// payments have in common.
import type { PaymentLine } from '@shared/answers'

export const views = ['people', 'second', ''] as const
export type View = (typeof views)[number]
export const viewNames: Record<View, string> = { people: '需要人工', second: '待第二人确认', '': '全部' }

export const dateNames = { '': '建单日期', charged: 'HIS 收费日期', refunded: '退费完成日期' } as const
export type Dates = keyof typeof dateNames

export interface PaymentFilter {
  needs: View
  dates: Dates // what from and to are the days of
  from: string // Beijing days
  to: string
  channel: string
  kind: string
  status: string
  his: string
  insured: string
  no: string
  find: string // what stands for a name or a phone
}

export const blank = (): PaymentFilter => (
  { needs: 'people', dates: '', from: '', to: '', channel: '', kind: '', status: '', his: '', insured: '', no: '', find: '' }
)

export const statuses = [
  'created', 'identified', 'uploading', 'priced', 'opening', 'paying', 'settled', 'writing', 'done', 'undoing', 'reversing', 'refunding',
  'refund_wait_auth', 'part_refunded', 'suspense', 'cancelled', 'expired', 'refunded',
]
export const hisStates = ['none', 'open', 'written', 'refused', 'reversed']
export const kinds: Record<string, string> = { outpatient: '门诊', registration: '挂号' }
export const channels: Record<string, string> = { wechat: '微信', alipay: '支付宝' }
export const terminals: Record<string, string> = { h5: '手机', mini: '小程序', kiosk: '自助机' }

/** query writes what is not blank, as the address keeps it. */
export function query(f: PaymentFilter): Record<string, string> {
  const none = blank()
  return Object.fromEntries(Object.entries(f).filter(([k, v]) => v !== none[k as keyof PaymentFilter]))
}

/** take reads the filter of an address; what is unknown there is left out. */
export function take(q: Record<string, unknown>): PaymentFilter {
  const given = Object.fromEntries(Object.entries(q).filter(([k, v]) => k in blank() && typeof v === 'string'))
  return { ...blank(), ...given } as PaymentFilter
}

/** params writes the filter as the server takes it. */
export function params(f: PaymentFilter, page: number, per: number): Record<string, string> {
  const said = Object.entries(f).map(([k, v]) => [k, v.trim()]).filter(([, v]) => v !== '')
  return { ...Object.fromEntries(said), page: String(page), per_page: String(per) }
}

type Tag = 'success' | 'warning' | 'danger' | 'info' | 'primary'

/** statusTag is how a state looks. */
export function statusTag(status: string): Tag {
  switch (status) {
    case 'done': return 'success'
    case 'refund_wait_auth': case 'paying': return 'warning'
    case 'suspense': return 'danger'
    case 'cancelled': case 'expired': case 'refunded': return 'info'
  }
  return 'primary'
}

/** insurancePart is what the insurance pays of a payment. */
export const insurancePart = (l: Pick<PaymentLine, 'fund' | 'account'>) => l.fund + l.account
