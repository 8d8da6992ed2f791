// The records of hospay's collections as the API shows them. Written by
// `go test ./collections -run TestRecordTypes -update`, never by hand.

export interface Institution {
  collectionName: 'institutions'
  id: string
  code: string
  name: string
  active: boolean
  debit_at: 'application' | 'approval' | ''
  methods: ('original' | 'transfer')[]
  payouts_frozen: boolean
  freeze_note: string
  day_limit: number
  min_amount: number
  secrets_held: string
  created: string
  updated: string
}

export interface Patient {
  collectionName: 'patients'
  id: string
  email: string
  emailVisibility: boolean
  verified: boolean
  institution: string
  patient_no: string
  name: string
  id_type: string
  id_no: string
  phone: string
  wechat_bound: boolean
  alipay_bound: boolean
  via: 'wechat' | 'alipay' | ''
  created: string
  updated: string
}

export interface PatientCard {
  collectionName: 'patient_cards'
  id: string
  card_no: string
  card_name: string
  balance: number
  refundable: number
  issued_at: string
  as_of: string
  deposits: unknown
  updated: string
  patient: string
}

export interface Staff {
  collectionName: 'staff'
  id: string
  email: string
  emailVisibility: boolean
  verified: boolean
  institution: string
  name: string
  roles: ('reviewer' | 'finance' | 'cashier' | 'auditor' | 'config')[]
  active: boolean
  created: string
  updated: string
}

export interface ChannelConfig {
  collectionName: 'channel_configs'
  id: string
  channel: 'wechat' | 'alipay' | ''
  active: boolean
  merchant_id: string
  app_id: string
  api_base: string
  notify_base: string
  settings: unknown
  secrets_held: string
  created: string
  updated: string
  institution: string
}

export interface HisConfig {
  collectionName: 'his_configs'
  id: string
  kind: string
  active: boolean
  base_url: string
  mapping: unknown
  timeout_ms: number
  queryable: boolean
  idempotent: boolean
  reversible: boolean
  secrets_held: string
  created: string
  updated: string
  institution: string
}

export interface SmsConfig {
  collectionName: 'sms_configs'
  id: string
  active: boolean
  url: string
  settings: unknown
  secrets_held: string
  created: string
  updated: string
  institution: string
}

export interface ReviewSetting {
  collectionName: 'review_settings'
  id: string
  auto: boolean
  shadow: boolean
  delay_seconds: number
  window_from: string
  window_to: string
  rules: unknown
  created: string
  updated: string
  institution: string
}

export interface Notice {
  collectionName: 'notices'
  id: string
  version: string
  title: string
  content: string
  active: boolean
  created: string
  updated: string
  institution: string
}

export interface NotificationText {
  collectionName: 'notification_texts'
  id: string
  event: 'succeeded' | 'rejected' | 'failed' | 'awaiting_payee' | 'returned' | 'hold' | 'suspense' | ''
  title: string
  body: string
  sms: boolean
  wechat_template: string
  alipay_template: string
  keywords: unknown
  created: string
  updated: string
  institution: string
}

export interface RefundOrder {
  collectionName: 'refund_orders'
  id: string
  no: string
  card_no: string
  deposit_no: string
  amount: number
  method: 'original' | 'transfer' | ''
  channel: 'wechat' | 'alipay' | ''
  status: 'submitted' | 'debiting' | 'reviewing' | 'approved' | 'paying' | 'awaiting_payee' | 'reversing' | 'suspense' | 'succeeded' | 'refused' | 'rejected' | 'cancelled' | 'failed' | ''
  group: string
  group_seq: number
  notify_phone: string
  payee_name: string
  payee_account: string
  notice_version: string
  proxy_application: string
  compensates: string
  review_mode: 'auto' | 'manual' | ''
  debit_at: 'application' | 'approval' | ''
  his_refund_no: string
  his_refund_date: string
  channel_bill_no: string
  paid_at: string
  fail_code: string
  fail_reason: string
  cancel_asked: boolean
  created: string
  updated: string
  institution: string
  patient: string
}

export interface RefundEvent {
  collectionName: 'refund_events'
  id: string
  seq: number
  from: string
  to: string
  event: string
  actor_kind: string
  actor: string
  code: string
  message: string
  hash: string
  created: string
  order: string
  institution: string
}

export interface TransferOrder {
  collectionName: 'transfer_orders'
  id: string
  attempt: number
  out_bill_no: string
  method: 'original' | 'transfer' | ''
  channel: 'wechat' | 'alipay' | ''
  amount: number
  hash: string
  state: 'intent' | 'open' | 'held' | 'done' | 'refused' | ''
  reported: string
  channel_no: string
  code: string
  message: string
  doubt: boolean
  sent: number
  sent_at: string
  paid_at: string
  expires_at: string
  created: string
  updated: string
  order: string
  institution: string
}

export interface HisCall {
  collectionName: 'his_calls'
  id: string
  kind: 'debit' | 'reverse' | ''
  attempt: number
  no: string
  amount: number
  hash: string
  state: 'intent' | 'open' | 'held' | 'done' | 'refused' | ''
  his_no: string
  code: string
  message: string
  sent: number
  sent_at: string
  done_at: string
  created: string
  updated: string
  institution: string
  order: string
}

export interface Review {
  collectionName: 'reviews'
  id: string
  stage: 'auto' | 'shadow' | 'first' | 'second' | ''
  decision: 'approve' | 'reject' | 'manual' | ''
  reviewer: string
  note: string
  verdicts: unknown
  created: string
  order: string
  institution: string
}

export interface Notification {
  collectionName: 'notifications'
  id: string
  order: string
  patient: string
  event: string
  round: number
  via: 'in_app' | 'wechat' | 'alipay' | 'sms' | 'email' | ''
  staff: boolean
  to: string
  title: string
  body: string
  state: 'queued' | 'sent' | 'failed' | 'skipped' | ''
  tries: number
  next_at: string
  sent_at: string
  provider_id: string
  error: string
  created: string
  updated: string
  institution: string
}

export interface Callback {
  collectionName: 'callbacks'
  id: string
  channel: 'wechat' | 'alipay' | 'medins' | ''
  callback_id: string
  kind: string
  no: string
  effect: string
  body: string
  created: string
  institution: string
}

export interface Receipt {
  collectionName: 'receipts'
  id: string
  patient: string
  out_bill_no: string
  state: 'waiting' | 'generating' | 'ready' | 'failed' | ''
  file: string
  sha256: string
  tries: number
  next_at: string
  message: string
  created: string
  updated: string
  order: string
  institution: string
}

export interface Statement {
  collectionName: 'statements'
  id: string
  source: 'wechat' | 'alipay' | 'his' | ''
  kind: string
  day: string
  state: 'waiting' | 'ready' | 'empty' | 'failed' | ''
  file: string
  sha256: string
  told_digest: string
  size: number
  tries: number
  next_at: string
  message: string
  created: string
  updated: string
  institution: string
}

export interface AuditLog {
  collectionName: 'audit_log'
  id: string
  seq: number
  actor_kind: string
  actor: string
  action: string
  target: string
  details: unknown
  address: string
  prev_hash: string
  hash: string
  created: string
}

export interface JobRun {
  collectionName: 'job_runs'
  id: string
  job: string
  started: string
  finished: string
  ok: boolean
  done: number
  failed: number
  message: string
}

export interface VaultKey {
  collectionName: 'vault_keys'
  id: string
  key_id: number
  purpose: string
  alg: string
  kek: string
  created: string
  updated: string
}

export interface UsedTicket {
  collectionName: 'used_tickets'
  id: string
  ticket: string
  expires: string
}
