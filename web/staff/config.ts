// The configuration as the server tells it, and the one way to change it: a
// proposal with a note. What is sensitive waits for a second person.
import { call } from '@shared/api'

export interface Setting {
  name: string; label: string; value: string; kind: 'text' | 'number' | 'bool' | 'choice' | 'many' | 'fen'; choices?: [string, string][]
  default: string; help: string
}
export interface ChannelConfig {
  id: string; channel: 'wechat' | 'alipay'; active: boolean; merchant_id: string; app_id: string; api_base: string; notify_base: string
  settings: Setting[]; secrets: { name: string; label: string; kind: 'text' | 'pem'; help: string; held: boolean }[]
}
export interface Rule { rule: string; limit?: number; count?: number; days?: number; hours?: number; from?: string; to?: string; on_fail: string }
export interface StaffRow { id: string; name: string; email: string; roles: string[]; active: boolean; locked: boolean; identified: boolean }
export interface Notice { id: string; kind: 'refund' | 'proxy'; version: string; title: string; content: string; active: boolean; created: string }
export interface Text {
  id: string; event: string; title: string; body: string; sms: boolean; wechat_template: string; alipay_template: string
  keywords: Record<string, unknown> | null
}
export interface Config {
  institution: Record<string, unknown> & { id: string; name: string; secrets_held: string[] }
  channels: ChannelConfig[]
  his: (Record<string, unknown> & { id: string; kind: string; base_url: string; mapping: unknown; secrets_held: string[] }) | null
  sms: (Record<string, unknown> & { id: string; secrets_held: string[] }) | null
  review: (Record<string, unknown> & { id: string; rules: Rule[] | null }) | null
  notices: Notice[]
  texts: Text[]
  staff: StaffRow[]
  waiting: number
}
interface Person { kind: string; id: string; name: string }
export interface Change {
  id: string; target: { collection: string; id: string }; title?: string; before: Record<string, unknown>
  after: Record<string, unknown>; note: string; version: number; sensitive: boolean
  state: 'applied' | 'waiting' | 'rejected' | 'withdrawn' | 'superseded'; proposer: Person; confirmer: Person | null
  answer: string; created: string; decided: string
}

export const loadConfig = () => call<Config>('GET', '/api/hospay/config')

/** propose sends a change; the answer says whether it is in force or waits. */
export async function propose(collection: string, id: string, values: Record<string, unknown>, note: string): Promise<Change> {
  return call('POST', '/api/hospay/config/changes', { target: { collection, id }, values, note })
}

export const targets: Record<string, string> = {
  institutions: '机构规则', channel_configs: '渠道', his_configs: 'HIS', review_settings: '自动审核', notices: '须知和告知',
  notification_texts: '通知文案', staff: '人员', sms_configs: '短信',
}

/** Tab is what every tab of the configuration gets. */
export interface Tab {
  config: Config
  /** asks why, and proposes; true when the server has taken it */
  ask: (collection: string, id: string, what: string, values: Record<string, unknown>) => Promise<boolean>
  reload: () => Promise<unknown>
}
