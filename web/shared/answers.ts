// What hospay's own routes answer. Amounts are fen. Written by
// `go test ./collections -run TestAnswerTypes -update`, never by hand.
import type { PaymentOrder, ProxyApplication } from './records'

export interface ActView {
  act: string
  verb: string
  reason: string
  by: string
  by_name: string
  with: string
  before: unknown
  after: unknown
  at: string
}

export interface ActionView {
  action: string
  text: string
  why: string
  safe: boolean
  evidence: boolean
}

export type Actor =
  | ''
  | 'finance'
  | 'it'
  | 'patient'
  | 'reviewer'

export interface AdviceView {
  routes: RouteView[]
  left: number
  why?: string
  why_code?: string
}

export interface AreaView {
  code: string
  name: string
  own: boolean
}

export interface AreasView {
  areas: AreaView[]
}

export interface AuditBreak {
  seq: number
  id: string
  reason: string
}

export interface AuditLine {
  id: string
  seq: number
  created: string
  actor_kind: string
  actor: string
  actor_name: string
  action: string
  target: string
  order_no: string
  before: string
  after: string
  details: unknown
  address: string
  prev_hash: string
  hash: string
  key: string
}

export interface AuditRow {
  at: string
  actor_kind: string
  by: string
  action: string
  details: unknown
}

export interface AuditState {
  rows: number
  seq: number
  head: string
  break: AuditBreak | null
}

export interface AuthorisationView {
  authorised: boolean
  until: string
  url: string
  mini_program: MiniView
  payer: PayerView
}

export interface BackFigure {
  count: number
  fund: number
  account: number
  cash: number
}

export interface BalanceView {
  balance: number
  refundable: number
  as_of: string
}

export interface Batch {
  id: string
  decision: string
  note: string
  state: string
  results: BatchResult[]
  size: number
  progress: number
  ok: number
  failed: number
  created: string
}

export interface BatchResult {
  order: string
  ok: boolean
  code?: string
  message?: string
}

export interface BatchView {
  results: BatchResult[]
}

export interface Beat {
  ok: boolean
  checked_at: string
  ms: number
  error: string
  failures: number
}

export interface BenefitView {
  id: string
  insutype: string
  insutype_name: string
  med_type: string
  med_type_name: string
  disease: string
  balance: number | null
  enjoyed: boolean
  reason: string
}

export interface BillView {
  bill_no: string
  kind: Kind
  title: string
  department: string
  doctor: string
  created: string
  pay_before: string
  amount: number
  insurable: boolean
  reason: string
  own: boolean
  own_reason: string
  items: ItemView[]
  order: string
}

export interface BillsView {
  as_of: string
  bills: BillView[]
}

export interface BookSum {
  count: number
  amount: number
  present: boolean
  statement?: string
}

export interface Books {
  clr_type: string
  clr_optins: string
  refd_setl_flag: string
  separator: string
  null: string
}

export interface CalendarDay extends DayMark {
  date: string
  ledgers: LedgerDay[]
}

export interface CalendarView {
  month: string
  days: CalendarDay[]
}

export interface CallView {
  kind: string
  text: string
  side: string
  attempt: number
  no: string
  amount: number
  state: string
  reported: string
  theirs: string
  code: string
  message: string
  sent: number
  sent_at: string
  done_at: string
}

export interface CardAtKiosk {
  card_no: string
  card_name: string
}

export interface CardView {
  card_no: string
  card_name: string
  balance: number
  refundable: number
  as_of: string
  deposits?: DepositView[]
}

export interface CardsView {
  cards: CardView[]
}

export interface CaseView {
  case: ProxyCase
  text: string
  required: MaterialKind[]
  optional: MaterialKind[]
}

export interface CentreSettings {
  id: string
  updated: string
  active: boolean
  org_code: string
  org_name: string
  app_id: string
  base_url: string
  region: unknown
  timeout_ms: number
  secrets_held: string[]
}

export interface CentreTest {
  centre: boolean
  ok: boolean
  steps: Step[]
}

export interface CentreView {
  state: string
  text: string
  split: SplitView | null
  agrees: boolean
  error: string
}

export interface Certificate {
  channel: string
  what: string
  label: string
  id: string
  subject?: string
  expires: string | null
  days: number | null
}

export interface CertificatesView {
  certificates: Certificate[]
}

export interface ChainView extends AuditState {
  ok: boolean
}

export interface Change {
  id: string
  target: Target
  new: boolean
  version: number
  before: unknown
  after: unknown
  note: string
  sensitive: boolean
  state: string
  proposer: ChangePerson | null
  confirmer: ChangePerson | null
  answer: string
  created: string
  decided: string
  password?: string
}

export interface ChangePerson {
  kind: string
  id: string
  name: string
}

export interface ChangesView {
  page: number
  per_page: number
  total: number
  items: Change[]
}

export interface ChannelLimit {
  day_limit: number
  used: number
}

export interface ChannelRow {
  channel: string
  method: string
  platform: Sum
  bill: Sum
  his: Sum
  differences: number
}

export interface ChannelSettings {
  id: string
  updated: string
  channel: string
  active: boolean
  merchant_id: string
  app_id: string
  api_base: string
  notify_base: string
  settings: Setting[]
  secrets: Secret[]
  secrets_held: string[]
}

export interface ChannelTest {
  channel: string
  merchant_id: string
  ok: boolean
  steps: Step[]
  certificates: Certificate[]
}

export interface ChannelView {
  channel: string
  name: string
  on: boolean
  bound: boolean
  reason?: string
  code?: string
  methods?: Method[]
  min_amount?: number
  single_limit?: number
  payee_confirms?: boolean
  original_days?: number
}

export interface Configuration {
  institution: InstitutionSettings
  channels: ChannelSettings[]
  his: HISSettings | null
  centre: CentreSettings | null
  regions: RegionProfile[]
  kiosks: KioskSettings[]
  sms: SMSSettings | null
  review: ReviewRules | null
  notices: NoticeText[]
  texts: NotificationWords[]
  staff: StaffAccount[]
  waiting: number
  connections: ConnectionShown[]
}

export interface ConfirmationView {
  mch_id: string
  app_id: string
  package: string
  expires_at: string
  url: string
  mini: boolean
}

export interface ConnectionShown {
  id: string
  name: string
  merchant_id: string
  app_id: string
  base: string
  current: boolean
  since: string
  left_at: string
  open: number
}

export interface CounterView {
  id: string
  day: string
  kind: string
  order_no: string
  out_bill_no: string
  amount: number
}

export interface CountsView {
  reviewing: TabCount
  awaiting_payee: TabCount
  processing: TabCount
  exceptions: TabCount
  succeeded: TabCount
  rejected: TabCount
  payments: number
  suspense: number
  unknown: number
  proxies: number
  frozen: boolean
}

export interface DayMark {
  colour: string
  state: string
  open: number
  waiting: number
  count: number
  rejects: number
  missing: string[]
}

export interface DayView {
  date: string
  ledger: Ledger
  ledgers: Ledger[]
  state: string
  colour: string
  books: Record<string, BookSum>
  differences: Record<string, Sum>
  open: number
  carried_in: number
  summary: RunSummary | null
  runs: RunView[]
}

export interface DepartmentView {
  code: string
  name: string
}

export interface DepartmentsView {
  departments: DepartmentView[]
}

export interface DepositView {
  deposit_no: string
  amount: number
  refundable: number
  channel: string
  paid_at: string
}

export interface DeskOrder {
  id: string
  no: string
  card_no: string
  amount: number
  status: string
}

export interface DeskPayment {
  id: string
  no: string
  card_no: string
  kind: Kind
  amount: number
  status: string
  status_text: string
  since: string
}

export interface DeskProposal {
  seq: number
  action: string
  text: string
  by: string
  at: string
  reason: string
}

export interface DeviceView {
  token?: string
  institution: string
  place: string
  ways: string[]
  reader_url: string
  idle_seconds: number
  channels: string[]
  insurance: boolean
}

export interface DifferenceDetail extends DifferenceView {
  history: ActView[]
  verbs: VerbView[]
  counters: CounterView[]
}

export interface DifferenceProposal {
  id: string
  verb: string
  reason: string
  by: string
  by_name: string
  at: string
}

export interface DifferenceView {
  id: string
  ledger: Ledger
  day: string
  kind: string
  also: string[]
  order: string
  order_no: string
  out_bill_no: string
  his_refund_no: string
  channel_name: string
  method: string
  platform: Side | null
  channel: Side | null
  his: Side | null
  explain: string
  sign: string
  amount: number
  state: string
  verb: string
  owner: string
  owner_name: string
  with: string
  opened: string
  sla_due: string
  resolved_at: string
  days_open: number
  overdue: boolean
  proposal: DifferenceProposal | null
}

export interface ElsewhereView {
  account: string
  institution: NameView
  roles: string[]
  code: boolean
}

export interface EnrolmentView {
  secret: string
  uri: string
}

export interface EnteredView {
  me: MeView
}

export interface ExportView {
  id: string
  report: string
  params: Record<string, string>
  state: string
  progress: number
  rows: number
  file: string
  size: number
  sha256: string
  error: string
  created: string
  finished: string
}

export interface FactsView {
  balance: BalanceView | null
  balance_error: string
  checks: Finding[]
  verdicts: RuleVerdict[]
  related: RelatedOrder[]
  second_review: boolean
  stage: ReviewStage
  may_review: boolean
  why_not: string
  reasons: string[]
}

export interface Figure {
  amount: number
  count: number
}

export interface FindView {
  find: string
  text: string
}

export interface Finding {
  check: string
  pass: boolean
  detail: string
}

export interface FreezeView {
  frozen: boolean
}

export interface FrozenView {
  frozen: boolean
  note: string
  by: string
  at: string
}

export interface GoneView {
  gone: boolean
}

export interface GroupRow {
  institution: NameView
  refunds: StatisticsRow
  payments: PaymentStatisticsRow
}

export interface GroupView {
  from: string
  to: string
  rows: GroupRow[]
  total: GroupRow
  left_out: NameView[]
}

export interface HISSettings {
  id: string
  updated: string
  kind: string
  base_url: string
  timeout_ms: number
  queryable: boolean
  idempotent: boolean
  reversible: boolean
  mapping: unknown
  active: boolean
  secrets_held: string[]
}

export interface HisTest {
  his: boolean
  ok: boolean
  steps: Step[]
  traits: TraitsView
}

export interface HisView {
  state: string
  text: string
  receipt_no: string
  total: number | null
  agrees: boolean
  error: string
}

export interface HistoryEvent {
  seq: number
  at: string
  event: string
  from: string
  to: string
  actor: string
  actor_kind: string
  code: string
  message: string
}

export interface InstitutionSettings {
  id: string
  updated: string
  code: string
  name: string
  active: boolean
  methods: string[]
  debit_at: string
  min_amount: number
  day_limit: number
  proxy_on: boolean
  proxy_payee: string
  proxy_days: number
  proxy_photo_days: number
  second_factor: string
  idle_minutes: number
  reveals_a_day: number
  refund_alone: number
  pay_off_registration: string[]
  pay_why_registration: string
  refund_off_registration: boolean
  refund_why_registration: string
  pay_off_outpatient: string[]
  pay_why_outpatient: string
  refund_off_outpatient: boolean
  refund_why_outpatient: string
  service_phone: string
  transfer_choice: boolean
  self_entry: boolean
  voucher_layout: unknown
  recon_prefixes: string
  recon_words: string
  recon_his_sign: string
  secrets_held: string[]
  payouts_frozen: boolean
  freeze_note: string
}

export interface InsuredView {
  enrolled: boolean
  reason: string
  benefits: BenefitView[]
}

export interface ItemView {
  name: string
  spec: string
  unit: string
  count: string
  price: string
  amount: number
}

export interface Items<T> {
  items: T[]
}

export interface JobRun {
  name: string
  ok: boolean
  done: number
  error: string
}

export interface JobView {
  name: string
  last_started: string | null
  last_finished: string | null
  ok: boolean
  done: number
  error: string
  next: string | null
}

export interface JoinedView {
  joined: ElsewhereView
}

export type Kind =
  | 'outpatient'
  | 'registration'

export interface KioskCodeView {
  code: string
  until: string
}

export interface KioskSettings {
  id: string
  updated: string
  place: string
  active: boolean
  ways: string[]
  reader_url: string
  idle_seconds: number
  enrolled_at: string
  seen_at: string
  code_until: string
}

export type Ledger =
  | 'deposits'
  | 'insurance'
  | 'payments'

export interface LedgerDay extends DayMark {
  ledger: Ledger
}

export interface LedgerMonth {
  ledger: Ledger
  books: Record<string, BookSum>
  channels: ChannelRow[]
}

export interface LegsText {
  insurance: string
  cash: string
  his: string
}

export interface LikenessView {
  found: boolean
  name_equal: boolean
  id_no_equal: boolean
}

export interface Line {
  order_no: string
  out_bill_no: string
  his_refund_no: string
  card_no: string
  channel_name: string
  method: string
  platform: Side | null
  channel: Side | null
  his: Side | null
  kind: string
}

export interface LinkView {
  channel: string
  url: string
}

export interface LinksView {
  links: LinkView[]
}

export interface LookView {
  agent: PersonView
  principal: PersonView
  left: number
}

export interface MaskedView {
  name: string
  id_no: string
}

export interface MaterialChoice {
  kind: MaterialKind
  text: string
}

export type MaterialKind =
  | 'agent_id_back'
  | 'agent_id_front'
  | 'death_certificate'
  | 'guardian_proof'
  | 'kinship_proof'
  | 'other'
  | 'power_of_attorney'
  | 'principal_id_back'
  | 'principal_id_front'

export interface MaterialView {
  id: string
  kind: string
  text: string
  file: string
  sha256: string
  width: number
  height: number
  seen: boolean
}

export interface MeView {
  id: string
  patient_no: string
  name: string
  id_type: string
  id_no: string
  phone: string
  via: string
  senior: boolean
  wechat_bound: boolean
  alipay_bound: boolean
  institution: string
  idle_minutes: number
  service_phone: string
}

export interface MessageView {
  id: string
  event: string
  title: string
  body: string
  page: string
  at: string
  read: boolean
}

export interface MessagesView {
  unread: number
  items: MessageView[]
}

export type Method =
  | 'original'
  | 'transfer'

export interface MiniView {
  app_id: string
  path: string
}

export interface Month {
  month: string
  state: string
  books: Record<string, BookSum>
  channels: ChannelRow[]
  ledgers: LedgerMonth[]
  open: number
  unowned: number
  missing_days: string[]
  proposal: MonthProposal | null
  closed_by: string
  closed_at: string
  audit_seq: number
  audit_head: string
}

export interface MonthProposal {
  by: string
  by_name: string
  note: string
  at: string
}

export interface MovedLines {
  in: Sum
  out: Sum
}

export interface NameView {
  id: string
  name: string
}

export interface NamesView {
  names: Record<string, string>
}

export type Next =
  | ''
  | 'agree'
  | 'authorise'
  | 'confirm'
  | 'pay'
  | 'people'
  | 'wait'

export interface NoticeText {
  id: string
  updated: string
  kind: string
  version: string
  title: string
  content: string
  active: boolean
  created: string
}

export interface NoticeView {
  version: string
  title: string
  content: string
}

export interface NotificationWords {
  id: string
  updated: string
  event: string
  title: string
  body: string
  sms: boolean
  wechat_template: string
  alipay_template: string
  keywords: unknown
}

export interface NumbersView {
  out_trade_no: string
  mix_trade_no: string
  channel_no: string
  med_org_ord: string
  pay_ord_id: string
  setl_id: string
  receipt_no: string
}

export interface OpenOrder {
  no: string
  since: string
}

export interface OpenView {
  payments: PaymentView[]
}

export interface OpenedView {
  id: string
}

export interface OptionsView {
  notice: NoticeView | null
  open: boolean
  methods: Method[]
  transfer_choice: boolean
  channels: ChannelView[]
  min_amount: number
  day_limit: number
  payee: PayeeView
  card_no?: string
  refundable?: number
  suggestion?: AdviceView
}

export interface OrderLine {
  id: string
  no: string
  created: string
  his_refund_date: string
  paid_at: string
  card_no: string
  payee_name: string
  amount: number
  method: string
  channel: string
  status: string
  review_mode: string
  his_refund_no: string
  channel_bill_no: string
  fail_code: string
  fail_reason: string
  proxy_application: string
  compensates: string
  stage: string
  applicant: string
  holder: string
  phone: string
}

export interface OrdersView {
  state: string
  count?: number
  amount?: number
  page: number
  per_page: number
  items: OrderLine[]
}

export type Outcome =
  | 'approve'
  | 'manual'
  | 'reject'

export interface Overview {
  id: string
  name: string
  orders: Record<string, number>
  paid_today: Record<string, Paid>
  oldest_open: OpenOrder | null
  unknown: number
  suspense: number
  frozen: boolean
}

export interface OverviewRow extends Overview {
  limits: Record<string, ChannelLimit>
  certificates: Certificate[]
  broken: Record<string, string>
  his: Beat | null
}

export interface OverviewView {
  institutions: OverviewRow[]
  jobs: JobView[]
  version: string
}

export interface Page<T> {
  items: T[]
  count: number
  more: boolean
  page: number
  per_page: number
}

export interface Paid {
  amount: number
  count: number
}

export interface PaidDay {
  day: string
  amount: number
  count: number
}

export interface PaidDaysView {
  state: string
  days: PaidDay[]
}

export interface PaidFigure {
  count: number
  total: number
  fund: number
  account: number
  account_family: number
  cash: number
  other: number
}

export interface PaidStatisticsView {
  from: string
  to: string
  by: string[]
  rows: PaymentStatisticsRow[]
  total: PaymentStatisticsRow
}

export type Paper =
  | '01'
  | '03'
  | '11'
  | '12'

export interface PaperChoice {
  paper: Paper
  text: string
  without: MaterialKind[]
}

export interface Paths {
  6201: string
  6202: string
  6203: string
  6301: string
  6401: string
  3201: string
  3202: string
  9101: string
  9102: string
}

export interface PayAction {
  action: string
  text: string
  safe: boolean
  why: string
  evidence: boolean
}

export interface PayProposal {
  seq: number
  action: string
  text: string
  by: string
  at: string
  reason: string
}

export interface PayVerb {
  verb: Verb
  text: string
  safe: boolean
  code: string
  why: string
}

export interface PayView {
  form: string
  values: Record<string, string>
  url: string
}

export interface PayeeView {
  who: ProxyPayee
  name: string
}

export interface PayerView {
  name: string
  self: boolean
}

export interface PaymentFacts {
  order: PaymentView
  patient_name: string
  payer_name: string
  numbers: NumbersView
  insurance_state: string
  cash_state: string
  legs: LegsText
  terminal: string
  priced: SplitView
  centre: CentreView | null
  his: HisView | null
  calls: CallView[]
  refunds: RefundLine[]
  where: string
  verbs: PayVerb[]
  refund_alone: number
  refund_proposal: RefundWish | null
  actions: PayAction[]
  proposal: PayProposal | null
  history: PaymentMoment[]
}

export interface PaymentLine {
  id: string
  no: string
  created: string
  patient_name: string
  card_no: string
  kind: string
  title: string
  bill_no: string
  channel: string
  terminal: string
  insured: boolean
  total: number
  fund: number
  account: number
  account_family: number
  cash: number
  other: number
  cash_back: number
  went_back: number
  refund_state: string
  refund_text: string
  status: string
  status_text: string
  insurance_state: string
  insurance_text: string
  cash_state: string
  cash_text: string
  his_state: string
  his_text: string
  needs_people: boolean
  out_trade_no: string
  pay_ord_id: string
  setl_id: string
  receipt_no: string
  paid_at: string
  reason_code: string
  reason: string
}

export interface PaymentMoment {
  text: string
  reason: string
  seq: number
  at: string
  event: string
  from: string
  to: string
  actor: string
  actor_kind: string
  code: string
  message: string
}

export interface PaymentStatisticsRow {
  day?: string
  channel?: string
  kind?: string
  insured?: string
  paid: PaidFigure
  back: BackFigure
}

export interface PaymentView {
  id: string
  no: string
  kind: Kind
  title: string
  bill_no: string
  card_no: string
  channel: string
  terminal: Terminal
  insured: boolean
  status: string
  status_text: string
  next: string
  waits_for: Next
  reason: string
  reason_code: string
  total: number
  fund: number
  account: number
  account_family: number
  cash: number
  other: number
  due: number
  cash_back: number
  pay: PayView | null
  refund: RefundView | null
  refund_at: string
  receipt_no: string
  guide: string
  created: string
  expires_at: string
  paid_at: string
}

export interface PayoutsView extends FrozenView {
  history: FrozenView[]
}

export interface PersonView {
  name: string
  id_no: string
}

export interface PhotoView {
  id: string
  kind: string
  file: string
  width: number
  height: number
}

export interface Previewed {
  title: string
  html?: string
  text?: string
}

export type ProxyCase =
  | 'deceased'
  | 'elderly'
  | 'immobile'
  | 'incapacitated'
  | 'minor'

export interface ProxyDetail extends ProxyRow {
  materials: MaterialView[]
  history: AuditRow[]
  his: LikenessView | null
  his_error: string
}

export interface ProxyOptionsView {
  on: boolean
  consent: NoticeView | null
  cases: CaseView[]
  papers: PaperChoice[]
  relations: RelationView[]
  materials: MaterialChoice[]
  payee: ProxyPayee
  max_bytes: number
}

export type ProxyPayee =
  | 'agent'
  | 'principal'
  | 'self'

export interface ProxyRow extends Omit<ProxyApplication, 'age' | 'agent' | 'principal' | 'case_text' | 'paper_text' | 'relation_text' | 'status_text'> {
  age?: number
  agent: MaskedView
  principal: MaskedView
  case_text: string
  paper_text: string
  relation_text: string
  status_text: string
}

export interface ProxyView extends Omit<ProxyApplication, 'missing' | 'materials' | 'card' | 'status_text' | 'next'> {
  missing: string[]
  materials: PhotoView[]
  card: CardView | null
  status_text: string
  next: string
}

export interface QueueSum {
  count: number
  amount: number
}

export interface QueueView {
  items: OrderLine[]
  next: string
  sum?: QueueSum
}

export interface Queued {
  queued: boolean
}

export interface ReadyView {
  ready: boolean
  reasons?: string[]
  warnings?: string[]
}

export interface ReceiptView {
  id: string
  order: string
  order_no: string
  out_bill_no: string
  channel: string
  amount: number
  paid_at: string
  expires: string
  state: string
  tries: number
  message: string
  next_at: string
}

export interface RecoveryView {
  recovery_codes: string[]
}

export interface RefundAnswer extends Omit<PaymentOrder, 'waits_for_second'> {
  waits_for_second: boolean
}

export type RefundKind =
  | 'all'
  | 'cash'
  | 'insurance'

export interface RefundLine extends RefundView {
  reason: string
  by_itself: boolean
  by: string
  his_refund_id: string
}

export interface RefundView {
  no: string
  kind: RefundKind
  state: string
  state_text: string
  fund: number
  account: number
  cash: number
  asked_at: string
  done_at: string
}

export interface RefundWish extends RefundView {
  seq: number
  text: string
  total: number
  by: string
  reason: string
  safe: boolean
  why: string
}

export interface Refusal {
  who: Actor
  words: string
  hold: boolean
}

export interface Region {
  code: string
  title: string
  paths: Paths
  version: string
  sm2_user_id: string
  stamp: string
  numbers_as_text: boolean
  fold_case: boolean
  success_codes: string[]
  refusals: Record<string, Refusal>
  unsigned_refusals: boolean
  answer_age: number
  notice_age: number
  order: string
  other_fee_in_total: boolean
  hosp_part_as_reduce: boolean
  refund_form: string
  refund_total_includes_other: boolean
  partial_cash: boolean
  after_refused_write: string
  auth_minutes: number
  price_minutes: number
  order_minutes: number
  refund_wait_days: number
  wechat_city_code: string
  areas: string[]
  account_used_flag: Record<string, string>
  books: Books
  notice_form: string
  notice_reply: string
}

export interface RegionProfile {
  code: string
  title: string
  region: Region
}

export interface RegisterView {
  registration: string
  until: string
  papers: Paper[]
}

export interface Reject {
  file: string
  line: number
  reason: string
}

export interface RejectsView {
  items: Reject[]
  count: number
}

export interface RelatedOrder {
  id: string
  no: string
  amount: number
  status: string
  created: string
}

export interface RelationView {
  relation: string
  text: string
}

export interface ReleasedView {
  released: boolean
}

export interface RestoredAsked {
  name: string
  by: string
  note: string
  at: string
  mine: boolean
}

export interface RestoredFound {
  kind: string
  order: string
  no: string
  status: string
  what: string
  at: string
}

export interface RestoredView {
  marked: boolean
  since: string
  why: string
  open: number
  unchecked: number
  callbacks: number
  found: RestoredFound[]
  proposal: RestoredAsked | null
}

export interface RevealAskView {
  id: string
  by: string
  at: string
  note: string
}

export interface RevealedView {
  value: string
}

export interface RevealsView {
  limit: number
  used: number
  waiting: RevealAskView[]
}

export interface ReviewRules {
  id: string
  updated: string
  auto: boolean
  shadow: boolean
  delay_seconds: number
  window_from: string
  window_to: string
  rules: Rule[] | null
  second_from: number
  second_proxy: boolean
  reject_reasons: string[]
}

export type ReviewStage =
  | 'auto'
  | 'first'
  | 'second'
  | 'shadow'

export interface RouteView {
  method: Method
  channel: string
  amount: number
  deposit_no: string
  why: string
  why_code: string
  paid?: number
  paid_at?: string
}

export interface RowsView<T> {
  rows: T[]
  page: number
  perPage: number
  total: number
}

export interface Rule {
  rule: RuleName
  limit?: number
  count?: number
  days?: number
  hours?: number
  from?: string
  to?: string
  on_fail: Outcome
}

export type RuleName =
  | 'card_age'
  | 'max_amount'
  | 'name_equal'
  | 'night_hours'
  | 'orders_today'
  | 'proxy'
  | 'second_review'
  | 'shared_payee'
  | 'top_up_recent'

export interface RuleVerdict {
  rule: RuleName
  pass: boolean
  on_fail: Outcome
  detail: string
}

export interface RunSummary {
  orders: number
  matched: number
  rejects: number
  moved: MovedLines
  other: Sum
  cash: Sum
  returned: Sum
  overage: number
  shortage: number
  aside: Record<string, Sum>
  channels: ChannelRow[]
  missing: string[]
}

export interface RunView {
  id: string
  seq: number
  state: string
  started: string
  finished: string
  by: string
  by_name: string
}

export interface SMSSettings {
  id: string
  updated: string
  active: boolean
  url: string
  settings: unknown
  secrets_held: string[]
}

export interface SavedView {
  saved: boolean
}

export interface SecondFactorView {
  policy: string
  enrolled: boolean
  recovery_left: number
}

export interface Secret {
  name: string
  label: string
  kind: string
  help: string
  held: boolean
}

export interface Setting {
  name: string
  label: string
  kind: string
  choices?: [string, string][]
  default: string
  help: string
  value: string
}

export interface SetupQuestion {
  key: string
  label: string
  help: string
  default: string
  optional: boolean
  file: boolean
  named: boolean
  secret: boolean
  choices: string[]
}

export interface SetupState {
  open: boolean
  under_way: boolean
  steps: SetupStep[]
  said: string
  question: SetupQuestion | null
}

export interface SetupStep {
  title: string
  done: string
}

export interface ShadowReport {
  orders: number
  same: number
  differ: number
  rows: ShadowRow[]
  matrix: Record<string, Record<string, number>>
  truncated: boolean
}

export interface ShadowRow {
  id: string
  no: string
  amount: number
  rules: Outcome
  people: string
  verdicts: RuleVerdict[]
  now: boolean
}

export interface Side {
  amount: number
  status: string
  time: string
}

export interface SideView {
  state: string
  no: string
  amount: number
  text: string
}

export interface SidesView {
  his: SideView
  channel: SideView
}

export interface SignatureView {
  app_id: string
  timestamp: number
  nonce: string
  signature: string
}

export interface SlotView {
  id: string
  department: string
  day: string
  period: string
  doctor: string
  title: string
  left: number
  amount: number
}

export interface SlotsView {
  slots: SlotView[]
}

export interface SplitView {
  total: number
  fund: number
  account: number
  account_family: number
  cash: number
  other: number
  hospital_part: number
}

export interface StaffAccount {
  id: string
  name: string
  email: string
  roles: string[]
  active: boolean
  locked: boolean
  identified: boolean
  last_change: string
}

export interface StaffMeView {
  id: string
  name: string
  email: string
  roles: string[]
  institution: NameView
  second_factor: SecondFactorView
  idle_minutes: number
  identified: boolean
  elsewhere: ElsewhereView[]
}

export interface StandingView {
  person: string
  name: string
  id_no: string
  until: string
  credential: boolean
  cards: CardAtKiosk[]
}

export interface StatementView {
  id: string
  day: string
  source: string
  kind: string
  state: string
  version: number
  superseded: boolean
  beside: boolean
  late: boolean
  file: string
  size: number
  sha256: string
  form: string
  lines: number
  rejects: number
  amount: number
  refusal: string
  message: string
  by: string
  by_name: string
  tries: number
  next_at: string
  created: string
  updated: string
}

export interface StatisticsRow {
  his_date?: string
  channel?: string
  method?: string
  due: Figure
  refunded: Figure
  outstanding: Figure
  undone: Figure
}

export interface StatisticsView {
  from: string
  to: string
  by: string[]
  rows: StatisticsRow[]
  total: StatisticsRow
}

export interface StatusView {
  no: string
  status: string
  text: string
  next: string
  updated: string
}

export interface Step {
  name: string
  ok: boolean
  ms: number
  said: string
}

export interface StepView {
  at: string
  event: string
  status: string
  text?: string
  key?: string
  reason?: string
  reason_code?: string
  seq?: number
  actor?: string
  actor_kind?: string
  code?: string
  message?: string
}

export interface Sum {
  count: number
  amount: number
}

export interface SuspendedPayment extends DeskPayment {
  code: string
  reason: string
  legs: LegsText
  where: string
  actions: PayAction[]
  proposal: PayProposal | null
  history: PaymentMoment[]
}

export interface SuspenseRow extends DeskOrder {
  code: string
  reason: string
  since: string
  from: string
  sides: SidesView
  where: string
  actions: ActionView[]
  proposal: DeskProposal | null
  history: HistoryEvent[]
}

export interface TabCount {
  count: number
  oldest: string
}

export interface Target {
  collection: string
  id: string
}

export type Terminal =
  | 'h5'
  | 'kiosk'
  | 'mini'

export interface TimelineView {
  status: string
  text: string
  next: string
  steps: StepView[]
}

export interface TodoItem {
  kind: string
  count: number
}

export interface TodoView {
  items: TodoItem[]
}

export interface TraitsView {
  queryable: boolean
  idempotent: boolean
  reversible: boolean
}

export interface UnknownPayment extends DeskPayment {
  what: string
  tries: number
  next_at: string
  last_code: string
  last_message: string
}

export interface UnknownRow extends DeskOrder {
  what: string
  since: string
  tries: number
  next_at: string
  last_code: string
  last_message: string
}

export interface UnlockedView {
  unlocked: boolean
}

export interface UnreadView {
  unread: number
}

export type Verb =
  | 'query'
  | 'refund_all'
  | 'refund_cash'
  | 'refund_insurance'
  | 'write'

export interface VerbView {
  verb: string
  fits: boolean
  why: string
}

export interface WithdrawnView {
  withdrawn: boolean
}
