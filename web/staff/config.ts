// The configuration as the server tells it, and the one way to change it: a
// proposal with a note. What is sensitive waits for a second person.
import type { Change, Configuration } from '@shared/answers'
import { call } from '@shared/api'

export const loadConfig = () => call<Configuration>('GET', '/api/hospay/config')

/** propose sends a change; the answer says whether it is in force or waits. */
export async function propose(collection: string, id: string, values: Record<string, unknown>, note: string): Promise<Change> {
  return call('POST', '/api/hospay/config/changes', { target: { collection, id }, values, note })
}

export const targets: Record<string, string> = {
  institutions: '机构规则', channel_configs: '渠道', his_configs: 'HIS', centre_configs: '医保中心', review_settings: '自动审核', notices: '须知和告知',
  notification_texts: '通知文案', staff: '人员', sms_configs: '短信', kiosks: '自助机',
}

/** Tab is what every tab of the configuration gets. */
export interface Tab {
  config: Configuration
  /** asks why, and proposes; true when the server has taken it */
  ask: (collection: string, id: string, what: string, values: Record<string, unknown>) => Promise<boolean>
  reload: () => Promise<unknown>
}
