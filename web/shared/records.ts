// The records of hospay's collections as the API shows them. Written by
// `go test ./collections -run TestRecordTypes -update`, never by hand.

export interface Institution {
  collectionName: 'institutions'
  active: boolean
  code: string
  created: string
  day_limit: number
  debit_at: 'application' | 'approval' | ''
  freeze_note: string
  id: string
  idle_minutes: number
  methods: ('original' | 'transfer')[]
  min_amount: number
  name: string
  pay_off_outpatient: ('insured' | 'own')[]
  pay_off_registration: ('insured' | 'own')[]
  pay_why_outpatient: string
  pay_why_registration: string
  payouts_frozen: boolean
  proxy_days: number
  proxy_on: boolean
  proxy_payee: 'agent' | 'principal' | ''
  proxy_photo_days: number
  recon_days: number
  recon_his_sign: 'auto' | 'negative' | 'positive' | ''
  recon_ignore: number
  recon_prefixes: string
  recon_words: string
  refund_alone: number
  refund_off_outpatient: boolean
  refund_off_registration: boolean
  refund_why_outpatient: string
  refund_why_registration: string
  reveals_a_day: number
  second_factor: 'off' | 'totp' | ''
  secrets_held: string
  self_entry: boolean
  service_phone: string
  transfer_choice: boolean
  updated: string
  voucher_layout: unknown
}

export interface Patient {
  collectionName: 'patients'
  alipay_bound: boolean
  created: string
  email: string
  emailVisibility: boolean
  id: string
  id_no: string
  id_type: string
  institution: string
  name: string
  patient_no: string
  phone: string
  updated: string
  verified: boolean
  via: 'wechat' | 'alipay' | ''
  wechat_bound: boolean
}

export interface PatientCard {
  collectionName: 'patient_cards'
  as_of: string
  balance: number
  card_name: string
  card_no: string
  deposits: unknown
  id: string
  issued_at: string
  patient: string
  refundable: number
  updated: string
}

export interface Staff {
  collectionName: 'staff'
  active: boolean
  created: string
  email: string
  emailVisibility: boolean
  id: string
  institution: string
  name: string
  roles: ('reviewer' | 'finance' | 'cashier' | 'auditor' | 'config')[]
  updated: string
  verified: boolean
}

export interface ChannelConfig {
  collectionName: 'channel_configs'
  active: boolean
  api_base: string
  app_id: string
  channel: 'wechat' | 'alipay' | ''
  created: string
  id: string
  institution: string
  merchant_id: string
  notify_base: string
  secrets_held: string
  settings: unknown
  updated: string
}

export interface HisConfig {
  collectionName: 'his_configs'
  active: boolean
  base_url: string
  created: string
  id: string
  idempotent: boolean
  institution: string
  kind: string
  mapping: unknown
  queryable: boolean
  reversible: boolean
  secrets_held: string
  timeout_ms: number
  updated: string
}

export interface SmsConfig {
  collectionName: 'sms_configs'
  active: boolean
  created: string
  id: string
  institution: string
  secrets_held: string
  settings: unknown
  updated: string
  url: string
}

export interface ReviewSetting {
  collectionName: 'review_settings'
  auto: boolean
  created: string
  delay_seconds: number
  id: string
  institution: string
  reject_reasons: unknown
  rules: unknown
  second_from: number
  second_proxy: boolean
  shadow: boolean
  updated: string
  window_from: string
  window_to: string
}

export interface Notice {
  collectionName: 'notices'
  active: boolean
  content: string
  created: string
  id: string
  institution: string
  kind: 'refund' | 'proxy' | ''
  title: string
  updated: string
  version: string
}

export interface NotificationText {
  collectionName: 'notification_texts'
  alipay_template: string
  body: string
  created: string
  event: 'succeeded' | 'rejected' | 'failed' | 'awaiting_payee' | 'returned' | 'hold' | 'suspense' | 'proxy_approved' | 'proxy_rejected' | 'paid_by_hand' | 'payment_registered' | 'payment_paid' | 'payment_received' | 'payment_ended' | 'payment_refunded' | 'payment_part_refunded' | 'payment_refund_auth' | 'payment_hold' | 'payment_suspense' | 'entered' | ''
  id: string
  institution: string
  keywords: unknown
  sms: boolean
  title: string
  updated: string
  wechat_template: string
}

export interface RefundOrder {
  collectionName: 'refund_orders'
  amount: number
  cancel_asked: boolean
  card_no: string
  channel: 'wechat' | 'alipay' | ''
  channel_bill_no: string
  compensates: string
  created: string
  debit_at: 'application' | 'approval' | ''
  deposit_no: string
  fail_code: string
  fail_reason: string
  group: string
  group_seq: number
  his_refund_date: string
  his_refund_no: string
  id: string
  institution: string
  method: 'original' | 'transfer' | ''
  no: string
  notice_version: string
  notify_phone: string
  paid_at: string
  patient: string
  payee_account: string
  payee_name: string
  proxy_application: string
  review_mode: 'auto' | 'manual' | ''
  stage: 'first' | 'second' | ''
  status: 'submitted' | 'debiting' | 'reviewing' | 'approved' | 'paying' | 'awaiting_payee' | 'reversing' | 'suspense' | 'succeeded' | 'refused' | 'rejected' | 'cancelled' | 'failed' | ''
  updated: string
}

export interface RefundEvent {
  collectionName: 'refund_events'
  actor: string
  actor_kind: string
  code: string
  created: string
  event: string
  from: string
  hash: string
  id: string
  institution: string
  message: string
  order: string
  seq: number
  to: string
}

export interface TransferOrder {
  collectionName: 'transfer_orders'
  amount: number
  attempt: number
  channel: 'wechat' | 'alipay' | ''
  channel_no: string
  code: string
  connection: string
  created: string
  denied: number
  doubt: boolean
  expires_at: string
  id: string
  institution: string
  message: string
  method: 'original' | 'transfer' | ''
  order: string
  out_bill_no: string
  paid_at: string
  reported: string
  sent: number
  sent_at: string
  state: 'intent' | 'open' | 'held' | 'done' | 'refused' | ''
  updated: string
}

export interface HisCall {
  collectionName: 'his_calls'
  amount: number
  attempt: number
  code: string
  connection: string
  created: string
  denied: number
  done_at: string
  doubt: boolean
  hash: string
  his_no: string
  id: string
  institution: string
  kind: 'debit' | 'reverse' | ''
  message: string
  no: string
  order: string
  reported: 'done' | 'pending' | 'not_found' | ''
  sent: number
  sent_at: string
  state: 'intent' | 'open' | 'held' | 'done' | 'refused' | ''
  updated: string
}

export interface Review {
  collectionName: 'reviews'
  created: string
  decision: 'approve' | 'reject' | 'manual' | ''
  id: string
  institution: string
  note: string
  order: string
  reviewer: string
  stage: 'auto' | 'shadow' | 'first' | 'second' | ''
  verdicts: unknown
}

export interface Notification {
  collectionName: 'notifications'
  body: string
  created: string
  error: string
  event: string
  id: string
  institution: string
  next_at: string
  order: string
  page: string
  patient: string
  payment: string
  provider_id: string
  read_at: string
  round: number
  sent_at: string
  staff: boolean
  state: 'queued' | 'sent' | 'failed' | 'skipped' | ''
  title: string
  to: string
  tries: number
  updated: string
  via: 'in_app' | 'wechat' | 'alipay' | 'sms' | 'email' | 'wecom' | 'dingtalk' | ''
}

export interface Callback {
  collectionName: 'callbacks'
  body: string
  callback_id: string
  channel: 'wechat' | 'alipay' | 'medins' | ''
  created: string
  effect: string
  id: string
  institution: string
  kind: string
  no: string
}

export interface Receipt {
  collectionName: 'receipts'
  created: string
  file: string
  id: string
  institution: string
  message: string
  next_at: string
  order: string
  out_bill_no: string
  patient: string
  sha256: string
  state: 'waiting' | 'generating' | 'ready' | 'failed' | ''
  tries: number
  updated: string
}

export interface Statement {
  collectionName: 'statements'
  amount: number
  by: string
  connection: string
  created: string
  day: string
  file: string
  form: string
  id: string
  institution: string
  kind: string
  late: boolean
  lines: number
  message: string
  name: string
  next_at: string
  refusal: string
  rejects: number
  sha256: string
  size: number
  source: 'wechat' | 'alipay' | 'his' | 'centre' | ''
  state: 'waiting' | 'ready' | 'empty' | 'missing' | 'refused' | ''
  superseded: boolean
  told_digest: string
  tries: number
  updated: string
  version: number
}

export interface AuditLog {
  collectionName: 'audit_log'
  action: string
  actor: string
  actor_kind: string
  address: string
  after: string
  before: string
  created: string
  details: unknown
  hash: string
  id: string
  institution: string
  key: string
  order_no: string
  prev_hash: string
  seq: number
  target: string
}

export interface JobRun {
  collectionName: 'job_runs'
  done: number
  failed: number
  finished: string
  id: string
  job: string
  ok: boolean
  started: string
}

export interface VaultKey {
  collectionName: 'vault_keys'
  alg: string
  created: string
  id: string
  kek: string
  key_id: number
  purpose: string
  updated: string
}

export interface UsedTicket {
  collectionName: 'used_tickets'
  expires: string
  id: string
  ticket: string
}

export interface ProxyApplication {
  collectionName: 'proxy_applications'
  card_no: string
  case: 'minor' | 'elderly' | 'deceased' | 'incapacitated' | 'immobile' | ''
  closed_at: string
  consent_at: string
  consent_version: string
  created: string
  expires_at: string
  id: string
  institution: string
  no: string
  note: string
  patient: string
  principal_id_no: string
  principal_id_type: string
  principal_name: string
  purged_at: string
  reason_code: string
  relation: 'parent' | 'child' | 'spouse' | 'sibling' | 'guardian' | 'other' | ''
  reviewed_at: string
  reviewer: string
  status: 'draft' | 'submitted' | 'approved' | 'rejected' | 'closed' | ''
  submitted_at: string
  updated: string
}

export interface ProxyMaterial {
  collectionName: 'proxy_materials'
  application: string
  created: string
  file: string
  height: number
  id: string
  institution: string
  kind: 'agent_id_front' | 'agent_id_back' | 'principal_id_front' | 'principal_id_back' | 'guardian_proof' | 'death_certificate' | 'kinship_proof' | 'power_of_attorney' | 'other' | ''
  patient: string
  purged_at: string
  sha256: string
  size: number
  width: number
}

export interface RefundDay {
  collectionName: 'refund_days'
  channel: 'wechat' | 'alipay' | ''
  day: string
  id: string
  institution: string
  method: 'original' | 'transfer' | ''
  outstanding_amount: number
  outstanding_count: number
  refunded_amount: number
  refunded_count: number
  undone_amount: number
  undone_count: number
}

export interface RefundCount {
  collectionName: 'refund_counts'
  count: number
  id: string
  institution: string
  status: string
}

export interface Export {
  collectionName: 'exports'
  created: string
  error: string
  file: string
  finished: string
  id: string
  institution: string
  owner: string
  params: unknown
  progress: number
  report: string
  rows: number
  sha256: string
  size: number
  started: string
  state: 'queued' | 'running' | 'done' | 'failed' | 'interrupted' | ''
  updated: string
}

export interface StaffSecurity {
  collectionName: 'staff_security'
  created: string
  failed_at: string
  failures: number
  id: string
  institution: string
  locked_until: string
  staff: string
  totp_on: boolean
  updated: string
}

export interface Session {
  collectionName: 'sessions'
  account: string
  created: string
  ended: string
  id: string
  institution: string
  kind: string
  kiosk: string
  seen: string
  until: string
}

export interface Batche {
  collectionName: 'batches'
  created: string
  decision: 'approve' | 'reject' | ''
  failed: number
  id: string
  institution: string
  note: string
  ok: number
  orders: unknown
  progress: number
  results: unknown
  size: number
  starter: string
  state: 'queued' | 'running' | 'done' | 'interrupted' | ''
  updated: string
}

export interface ConfigChange {
  collectionName: 'config_changes'
  after: unknown
  answer: string
  before: unknown
  collection: string
  confirmer: string
  created: string
  decided: string
  fresh: boolean
  id: string
  institution: string
  note: string
  proposer: string
  proposer_kind: 'staff' | 'superuser' | ''
  record: string
  sensitive: boolean
  state: 'waiting' | 'applied' | 'rejected' | 'withdrawn' | 'superseded' | ''
  version: number
}

export interface StatementLine {
  collectionName: 'statement_lines'
  created: string
  id: string
  institution: string
  line: number
  reason: string
  statement: string
}

export interface ReconRun {
  collectionName: 'recon_runs'
  books: unknown
  by: string
  created: string
  day: string
  files: unknown
  finished: string
  id: string
  inputs: string
  institution: string
  ledger: 'deposits' | 'payments' | 'insurance' | ''
  lines: string
  seq: number
  started: string
  state: 'balanced' | 'differences' | 'incomplete' | ''
  summary: unknown
}

export interface Difference {
  collectionName: 'differences'
  also: unknown
  amount: number
  channel: string
  channel_amount: number
  channel_at: string
  channel_day: number
  channel_state: string
  created: string
  day: string
  explain: string
  fingerprint: string
  his_amount: number
  his_at: string
  his_day: number
  his_refund_no: string
  his_state: string
  id: string
  institution: string
  key: string
  kind: string
  ledger: 'deposits' | 'payments' | 'insurance' | ''
  live: boolean
  method: string
  opened: string
  order: string
  order_no: string
  out_bill_no: string
  owner: string
  platform_amount: number
  platform_at: string
  platform_day: number
  platform_state: string
  proposed_by: string
  resolved_at: string
  sign: 'overage' | 'shortage' | ''
  sla_due: string
  state: 'open' | 'proposed' | 'resolved' | 'carried' | ''
  updated: string
  verb: string
  with: string
}

export interface Resolution {
  collectionName: 'resolutions'
  act: 'propose' | 'confirm' | 'withdraw' | 'resolve' | 'assign' | 'auto' | 'changed' | 'reopen' | 'carry' | ''
  after: unknown
  before: unknown
  by: string
  created: string
  difference: string
  id: string
  institution: string
  reason: string
  verb: string
  with: string
}

export interface ReconMonth {
  collectionName: 'recon_months'
  at: string
  audit_head: string
  audit_seq: number
  by: string
  closed_at: string
  closed_by: string
  created: string
  id: string
  institution: string
  month: string
  note: string
  state: 'open' | 'proposed' | 'closed' | 'reopening' | ''
  updated: string
}

export interface Connection {
  collectionName: 'connections'
  app_id: string
  base: string
  config: string
  config_updated: string
  created: string
  current: boolean
  id: string
  idempotent: boolean
  institution: string
  kind: string
  label: string
  left_at: string
  merchant_id: string
  name: string
  notify_base: string
  party: string
  queryable: boolean
  reversible: boolean
  settings: unknown
  timeout_ms: number
  updated: string
  version: number
}

export interface AuditSink {
  collectionName: 'audit_sinks'
  active: boolean
  created: string
  error: string
  id: string
  kind: 'syslog' | 'webhook' | ''
  next_at: string
  secrets_held: string
  sent_seq: number
  tries: number
  updated: string
  url: string
}

export interface CentreConfig {
  collectionName: 'centre_configs'
  active: boolean
  app_id: string
  base_url: string
  created: string
  id: string
  institution: string
  org_code: string
  org_name: string
  region: unknown
  secrets_held: string
  timeout_ms: number
  updated: string
}

export interface Kiosk {
  collectionName: 'kiosks'
  active: boolean
  created: string
  id: string
  idle_seconds: number
  institution: string
  place: string
  reader_url: string
  updated: string
  ways: ('credential' | 'id_card' | 'social_card')[]
}

export interface PaymentOrder {
  collectionName: 'payment_orders'
  account: number
  account_family: number
  account_own: number
  agreed: boolean
  area: string
  bill_no: string
  cancel_wish: boolean
  card_no: string
  cash: number
  cash_added: number
  cash_back: number
  cash_gone_at: string
  cash_reduced: number
  cash_state: 'open' | 'paid' | 'closed' | 'part_refunded' | 'refunded' | ''
  channel: 'wechat' | 'alipay' | ''
  channel_no: string
  charge_batch: string
  created: string
  delivery: number
  deposit: number
  expires_at: string
  fail_code: string
  fail_reason: string
  fund: number
  guide: string
  hospital_part: number
  id: string
  institution: string
  insurance_back_at: string
  insurance_state: 'open' | 'uploaded' | 'priced' | 'settled' | 'failed' | 'undone' | 'refunded' | ''
  insured: boolean
  insutype: string
  kind: 'registration' | 'outpatient' | ''
  kiosk: string
  med_org_ord: string
  med_type: string
  mix_trade_no: string
  no: string
  other: number
  out_trade_no: string
  paid_at: string
  patient: string
  patient_name: string
  pay_ord_id: string
  payer_name: string
  receipt_no: string
  setl_id: string
  settled_at: string
  status: 'created' | 'identified' | 'uploading' | 'priced' | 'opening' | 'paying' | 'settled' | 'writing' | 'done' | 'undoing' | 'reversing' | 'refunding' | 'refund_wait_auth' | 'part_refunded' | 'suspense' | 'cancelled' | 'expired' | 'refunded' | ''
  terminal: 'h5' | 'mini' | 'kiosk' | ''
  title: string
  total: number
  updated: string
  written_at: string
}

export interface PaymentEvent {
  collectionName: 'payment_events'
  actor: string
  actor_kind: string
  code: string
  created: string
  event: string
  from: string
  hash: string
  id: string
  institution: string
  message: string
  order: string
  seq: number
  to: string
}

export interface PaymentCall {
  collectionName: 'payment_calls'
  amount: number
  attempt: number
  code: string
  connection: string
  created: string
  denied: number
  done_at: string
  doubt: boolean
  hash: string
  id: string
  institution: string
  kind: 'upload' | 'price' | 'trade' | 'mixed' | 'close' | 'close_mixed' | 'undo' | 'charge' | 'uncharge' | 'refund_ins' | 'refund_cash' | 'told' | 'told_his' | ''
  message: string
  no: string
  order: string
  reported: string
  sent: number
  sent_at: string
  state: 'intent' | 'open' | 'held' | 'done' | 'refused' | ''
  theirs: string
  updated: string
}

export interface PaymentRefund {
  collectionName: 'payment_refunds'
  account: number
  actor: string
  actor_kind: string
  asked_at: string
  by_itself: boolean
  cash: number
  cash_at: string
  cash_done: boolean
  cash_no: string
  created: string
  done_at: string
  from: string
  fund: number
  his_refund_at: string
  his_refund_id: string
  id: string
  institution: string
  insurance: boolean
  insurance_no: string
  kind: 'all' | 'insurance' | 'cash' | ''
  no: string
  order: string
  reason: string
  seq: number
  state: 'open' | 'done' | 'withdrawn' | 'proposed' | 'declined' | ''
  told: boolean
  updated: string
}

export interface PaymentCredential {
  collectionName: 'payment_credentials'
  channel: 'wechat' | 'alipay' | 'kiosk' | ''
  created: string
  id: string
  institution: string
  patient: string
  until: string
  updated: string
}

export interface PaymentDay {
  collectionName: 'payment_days'
  back_account: number
  back_cash: number
  back_count: number
  back_fund: number
  channel: 'wechat' | 'alipay' | ''
  day: string
  id: string
  institution: string
  insured: boolean
  kind: 'registration' | 'outpatient' | ''
  paid_account: number
  paid_cash: number
  paid_count: number
  paid_family: number
  paid_fund: number
  paid_other: number
  paid_total: number
}

export interface PersonTerm {
  collectionName: 'person_terms'
  id: string
  kind: 'patient' | 'card' | ''
  owner: string
}
