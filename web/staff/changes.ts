// A change of the configuration in words: each setting on a row of its own,
// amounts in yuan.
import type { Change, Configuration as Config, Rule } from '@shared/answers'
import { yuan } from '@shared/format'
import type { Field } from './components/Settings.vue'
import {
  centreFields, channelFields, hisFields, institutionFields, reviewFields, sceneFields, scenes, ruleNames, ruleValues, smsFields, verdictWords,
} from './fields'
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
  const all = [
    ...centreFields(config), ...reviewFields, ...institutionFields, ...scenes.flatMap(([k, n]) => sceneFields(k, `${n}：`)), ...hisFields, ...smsFields,
    ...config.channels.flatMap(channelFields),
  ]
  return new Map(all.map((f) => [f.name, f]))
}

/** rowsOf tells what a change changes, each thing on a row of its own; what stays the same is left out. */
export function rowsOf(c: Change, fields: Fields): ChangeRow[] {
  const staff = c.target.collection === 'staff'
  return pairsOf(c).flatMap(([k, before, after]): ChangeRow[] => {
    const name = staff && k === 'name' ? '姓名' : fields.get(k)?.label ?? otherNames[k] ?? k
    if (k === 'rules') return ruleRows(list(before), list(after))
    if (isObject(after) || isObject(before)) return leafRows(name, before, after)
    return [{ name, before: plain(k, before, fields.get(k)), after: plain(k, after, fields.get(k)) }]
  })
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)
const list = (v: unknown) => (Array.isArray(v) ? (v as Rule[]) : [])

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

/** ruleRows names the rules that differ, with the values that each compares with. */
function ruleRows(before: Rule[], after: Rule[]): ChangeRow[] {
  const was = new Map(before.map((r) => [r.rule, ruleText(r)]))
  const now = new Map(after.map((r) => [r.rule, ruleText(r)]))
  const rows = [...new Set([...was.keys(), ...now.keys()])].filter((r) => was.get(r) !== now.get(r))
    .map((r) => ({ name: `规则：${ruleNames[r] ?? r}`, before: was.get(r) ?? '没有这条规则', after: now.get(r) ?? '移除这条规则' }))
  const order = (rules: Rule[]) => rules.map((r) => ruleNames[r.rule] ?? r.rule).join('、')
  return rows.length ? rows : [{ name: '规则的顺序', before: order(before), after: order(after) }]
}

/** leafRows takes an object apart to the last value. */
function leafRows(name: string, before: unknown, after: unknown): ChangeRow[] {
  const was = leaves(before)
  const now = leaves(after)
  return [...new Set([...was.keys(), ...now.keys()])].filter((k) => was.get(k) !== now.get(k))
    .map((k) => ({ name: [name, k].filter(Boolean).join(' '), before: was.get(k) ?? '空', after: now.get(k) ?? '空' }))
}

function leaves(v: unknown, path = ''): Map<string, string> {
  if (typeof v !== 'object' || v === null) return new Map(v === null || v === undefined || v === '' ? [] : [[path, String(v)]])
  return new Map(Object.entries(v).flatMap(([k, x]) => [...leaves(x, path ? `${path}.${k}` : k)]))
}

function plain(name: string, v: unknown, f: Field | undefined): string {
  if (v === null || v === undefined || v === '') return '空'
  if (name === 'roles' && Array.isArray(v)) return rolesText(v as string[])
  if (f?.kind === 'fen') return yuan(Number(v))
  if (typeof v === 'boolean' || f?.kind === 'bool') return String(v) === 'true' ? '是' : '否'
  const word = (x: unknown) => f?.choices?.find(([k]) => k === x)?.[1] ?? (typeof x === 'string' ? x : JSON.stringify(x))
  if (Array.isArray(v)) return v.map(word).join('、')
  return f?.kind === 'many' ? String(v).split(',').map(word).join('、') : word(v)
}

/** ruleText tells a rule by the values that it compares with; the others of the record mean nothing. */
function ruleText(r: Rule): string {
  const words: Record<string, string> = {
    limit: yuan(r.limit ?? 0), count: `${r.count ?? 0}`, days: `${r.days ?? 0} 天`, hours: `${r.hours ?? 0} 小时`, from: `${r.from} 至 ${r.to}`,
  }
  return [...(ruleValues[r.rule] ?? []).map((v) => words[v]), `不符合时${verdictWords[r.on_fail] ?? r.on_fail}`].join('，')
}
