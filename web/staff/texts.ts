// The keywords of the channels' templates as rows of a form.
import type { NotificationWords } from '@shared/answers'

export interface KeywordRow { name: string; text: string }
type Keywords = Record<string, Record<string, string>>

export const channels = [
  { name: 'wechat', title: '微信模板', field: 'wechat_template', example: 'thing1' },
  { name: 'alipay', title: '支付宝模板', field: 'alipay_template', example: 'keyword1' },
] as const

export const places = '{no} 单号、{amount} 金额、{reason} 原因、{channel} 渠道、{method} 方式、{time} 时间、{status} 状态、{link} 链接；' +
  '缴费另有 {insured} 医保部分、{cash} 自费部分、{guide} 取药等指引、{receipt} 收据号'

/** keywordsIn reads the keywords of a text, which are one map for each channel or, in older ones, one for both. */
function keywordsIn(text: NotificationWords): Keywords {
  const k = text.keywords ?? {}
  const each = Object.values(k).every((v) => typeof v === 'object')
  return (each ? k : { wechat: k, alipay: k }) as Keywords
}

export function rowsOfKeywords(text: NotificationWords, channel: string): KeywordRow[] {
  return Object.entries(keywordsIn(text)[channel] ?? {}).map(([name, words]) => ({ name, text: words }))
}

/** keywordsOf is what the rows say; empty ones say nothing. */
export function keywordsOf(rows: Record<string, KeywordRow[]>): Keywords {
  const words = (list: KeywordRow[]) => Object.fromEntries(list.filter((r) => r.name.trim() || r.text.trim()).map((r) => [r.name.trim(), r.text.trim()]))
  return Object.fromEntries(Object.entries(rows).map(([channel, list]) => [channel, words(list)]))
}

/** keywordText tells a text's templates in a cell. */
export function keywordText(text: NotificationWords): string {
  return channels.filter((c) => text[c.field]).map((c) => `${c.title} ${text[c.field]}（${rowsOfKeywords(text, c.name).length} 个关键词）`).join('；') || '不发'
}

/** changed is what differs from the text as it is: what nobody touched needs nobody's confirmation. */
export function changed(was: NotificationWords, now: Omit<NotificationWords, 'id' | 'event' | 'updated'>): Record<string, unknown> {
  const held = { ...was, keywords: keywordsOf(Object.fromEntries(channels.map((c) => [c.name, rowsOfKeywords(was, c.name)]))) }
  return Object.fromEntries(Object.entries(now).filter(([k, v]) => JSON.stringify(v) !== JSON.stringify(held[k as keyof NotificationWords])))
}
