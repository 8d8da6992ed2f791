// What hospay's own routes answer (docs/api.md). Amounts are fen.

export type Channel = 'wechat' | 'alipay'
export type Method = 'original' | 'transfer'

export interface Deposit {
  deposit_no: string
  amount: number
  refundable: number
  channel: string
  paid_at: string
}

export interface Card {
  card_no: string
  card_name: string
  balance: number
  refundable: number
  as_of: string
  deposits: Deposit[]
}

export interface RouteAdvice {
  method: Method
  channel: Channel
  amount: number
  deposit_no: string
  why_code: string
}

export interface ChannelOption {
  channel: Channel
  on: boolean
  bound: boolean
  code?: string
  methods?: Method[]
  min_amount?: number
  single_limit?: number
  payee_confirms?: boolean
  original_days?: number
}

export interface Options {
  notice: { version: string; title: string; content: string } | null
  open: boolean
  methods: Method[]
  channels: ChannelOption[]
  min_amount: number
  refundable?: number
  suggestion?: { routes: RouteAdvice[]; left: number; why_code?: string }
  payee?: { who: 'self' | 'agent' | 'principal'; name: string }
}

export interface Step {
  at: string
  event: string
  status: string
  key: string
  reason?: string
  reason_code?: string
}

export interface Timeline {
  status: string
  steps: Step[]
}

export interface Confirmation {
  mch_id: string
  app_id: string
  package: string
  expires_at: string
  url: string
}

export interface ProxyOptions {
  on: boolean
  consent: { version: string; title: string; content: string } | null
  cases: { case: string; required: string[]; optional: string[] }[]
  relations: { relation: string }[]
  payee: 'agent' | 'principal'
  max_bytes: number
}

export interface ProxyMaterialView {
  id: string
  kind: string
  file: string
}

export interface ProxyView {
  id: string
  no: string
  case: string
  relation: string
  status: 'draft' | 'submitted' | 'approved' | 'rejected' | 'closed'
  principal_name: string
  principal_id_no: string
  card_no: string
  note: string
  expires_at: string
  created: string
  materials: ProxyMaterialView[]
  missing: string[]
  card: { card_no: string; card_name: string; balance: number; refundable: number; as_of: string } | null
}
