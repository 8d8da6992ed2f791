// A change of the configuration in words: each setting on a row of its own,
// amounts in yuan.
import type { Change, Configuration as Config, Rule } from '@shared/answers'
import { yuan } from '@shared/format'
import type { Field } from './components/Settings.vue'
import { channelFields, hisFields, institutionFields, reviewFields, ruleNames, smsFields, verdictWords } from './fields'
import { rolesText } from './session'

export interface ChangeRow { name: string; before: string; after: string }

export const stateWords: Record<Change['state'], [string, 'success' | 'warning' | 'danger' | 'info']> = {
  applied: ['已生效', 'success'], waiting: ['待确认', 'warning'], rejected: ['已退回', 'danger'], withdrawn: ['已撤回', 'info'],
  superseded: ['已失效', 'info'],
}

/** what the forms have no field for */
const otherNames: Record<string, string> = {
  rules: '规则', settings: '设置', secrets: '密钥', title: '标题', content: '正文', body: '内容', sms: '短信', wechat_template: '微信模板',
  alipay_template: '支付宝模板', keywords: '模板关键词', email: '账号', roles: '角色', channel: '渠道', event: '场合',
}

type Fields = Map<string, Field>

/** fieldsOf are all fields of the configuration by their names. */
export function fieldsOf(config: Config): Fields {
  const all = [...reviewFields, ...institutionFields, ...hisFields, ...smsFields, ...config.channels.flatMap(channelFields)]
  return new Map(all.map((f) => [f.name, f]))
}

/** rowsOf tells what a change changes. */
export function rowsOf(c: Change, fields: Fields): ChangeRow[] {
  const staff = c.target.collection === 'staff'
  return pairsOf(c).map(([k, before, after]) => ({
    name: staff && k === 'name' ? '姓名' : fields.get(k)?.label ?? otherNames[k] ?? k,
    before: plain(k, before, fields.get(k)),
    after: plain(k, after, fields.get(k)),
  }))
}

/** pairsOf takes settings and secrets apart; what stays the same among them is left out. */
function pairsOf(c: Change): [string, unknown, unknown][] {
  return Object.entries(c.after as Record<string, unknown>).flatMap(([k, after]): [string, unknown, unknown][] => {
    const before = (c.before as Record<string, unknown> | null)?.[k]
    const apart = (k === 'settings' || k === 'secrets') && after && typeof after === 'object' && !Array.isArray(after)
    if (!apart) return [[k, before, after]]
    const was = (n: string) => (before as Record<string, unknown> | undefined)?.[n]
    return Object.entries(after).filter(([n, v]) => String(was(n) ?? '') !== String(v)).map(([n, v]) => [`${k}.${n}`, was(n), v])
  })
}

function plain(name: string, v: unknown, f: Field | undefined): string {
  if (v === null || v === undefined || v === '') return '空'
  if (name === 'rules' && Array.isArray(v)) return (v as Rule[]).map(ruleText).join('；')
  if (name === 'roles' && Array.isArray(v)) return rolesText(v as string[])
  if (f?.kind === 'fen') return yuan(Number(v))
  if (typeof v === 'boolean' || f?.kind === 'bool') return String(v) === 'true' ? '是' : '否'
  const word = (x: unknown) => f?.choices?.find(([k]) => k === x)?.[1] ?? (typeof x === 'string' ? x : JSON.stringify(x))
  if (Array.isArray(v)) return v.map(word).join('、')
  return f?.kind === 'many' ? String(v).split(',').map(word).join('、') : word(v)
}

function ruleText(r: Rule): string {
  const values = [
    r.limit === undefined ? '' : yuan(r.limit), r.count === undefined ? '' : `${r.count}`, r.days === undefined ? '' : `${r.days} 天`,
    r.hours === undefined ? '' : `${r.hours} 小时`, r.from ? `${r.from} 至 ${r.to}` : '',
  ]
  return [ruleNames[r.rule] ?? r.rule, ...values, verdictWords[r.on_fail]].filter(Boolean).join(' ')
}
