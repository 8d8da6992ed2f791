// Words of the reconciliation pages (docs/reconcile.md).
import type { BookSum, Side } from '@shared/answers'
import { yuan } from '@shared/format'

/** ledgers are the kinds of books, in the order of the pages. */
export const ledgers: Record<string, string> = { deposits: '退款', payments: '缴费', insurance: '医保' }
/** ledgerHeads name what a ledger has: the number of an order, and the side that is not ours. */
export const ledgerHeads: Record<string, { no: string; other: string; sums: string }> = {
  deposits: { no: '退款单号', other: '渠道', sums: '归入本日的成功退款' },
  payments: { no: '缴费、退费单号', other: '渠道', sums: '自费实收，减去退费' },
  insurance: { no: '缴费单号', other: '医保中心', sums: '基金支付加个人账户，减去退费' },
}

export const kinds: Record<string, string> = {
  duplicate: '重复', only_platform: '平台单边', only_channel: '渠道单边', only_his: 'HIS 单边', missing_platform: '平台缺失',
  missing_channel: '渠道缺失', missing_his: 'HIS 缺失', amount: '金额不符', state: '状态不符',
  channel: '渠道不符', method: '方式不符', card: '卡号不符', time: '时间不符', day_cut: '跨日', late: '迟到账单',
}
export const verbs: [string, string, string][] = [
  ['confirm_arrival', '确认到账', '向渠道查询，由系统按查询结果更正。'],
  ['book', '补记', '在缺的一方补记这笔。'],
  ['correct', '更正', '在错的一方更正。'],
  ['rematch', '换配', '与另一条方向相反的差异相抵。'],
  ['ignore', '忽略', '不影响金额的差异，说明原因后忽略。'],
  ['force', '强制平账', '接受差异，损益按制度处理。'],
]
/** verbName is the word of a verb, empty for none. */
export const verbName = (verb: string | undefined) => verbs.find(([v]) => v === verb)?.[1] ?? ''
/** acts are what can happen to a difference. */
export const acts: Record<string, string> = {
  propose: '提出', confirm: '确认', withdraw: '撤回或退回', resolve: '处理', assign: '认领', auto: '自动了结', changed: '账有变化，重新打开', reopen: '重新打开',
  carry: '结转',
}
export const states: Record<string, string> = { open: '待处理', proposed: '待确认', resolved: '已处理', carried: '转下日' }
export const books: Record<string, string> = { platform: '平台', wechat: '微信', alipay: '支付宝', his: 'HIS', centre: '医保中心' }

/** side puts the books side by side: what the platform says, the HIS, both channels and their sum. */
export function side(of: Record<string, BookSum>): { name: string; count: number; amount: number; off: number | null; missing: boolean }[] {
  const platform = of.platform?.amount ?? 0
  const row = (k: string) => {
    const { count, amount, present } = of[k]!
    return { name: books[k] ?? k, count, amount, off: k === 'his' || k === 'centre' ? amount - platform : null, missing: present === false }
  }
  const channels = Object.keys(of).filter((k) => k !== 'platform' && k !== 'his').sort().reverse().map(row)
  const sum = channels.reduce(
    (a, c) => ({ ...a, count: a.count + c.count, amount: a.amount + c.amount, missing: a.missing || c.missing }),
    { name: '渠道合计', count: 0, amount: 0, off: null as number | null, missing: false },
  )
  sum.off = sum.amount - platform
  return [...['platform', 'his'].filter((k) => of[k]).map(row), ...channels, ...(channels.length && !of.centre ? [sum] : [])]
}

const statusWords: Record<string, string> = { succeeded: '成功', failed: '失败', pending: '处理中' }
export const sideStatus = (s: Side) => statusWords[s.status] ?? s.status
/** sideText is what one book has of an order. */
export const sideText = (s: Side | null) => (s ? `${yuan(s.amount)} ${sideStatus(s)}` : '无')

/** billNames are the kinds of bills. */
export const billNames: Record<string, string> = {
  fundflow_operation: '运营账户资金流水', fundflow_basic: '基本账户资金流水', trade: '交易账单', signcustomer: '账务明细', statement: '退款明细',
  charges: '收费明细', totals: '对总账（3201）', detail: '对明细（3202）',
}
export const colours: Record<string, string> = { green: '平', amber: '未完', red: '有差异', none: '' }

const methodWords: Record<string, string> = { original: '原路退', transfer: '转账退', pay: '缴费', back: '退费' }
const insuranceWords: Record<string, string> = { 310: '职工医保', 390: '居民医保', 340: '离休', 510: '生育' }
/** channelName names a row of the channels' table: a channel, or where and as what the insurance clears. */
export const channelName = (c: string) => books[c] ?? (c.includes('/') ? `清算机构 ${c.split('/')[0]}，类别 ${c.split('/')[1]}` : c)
/** methodName names a method, or an insurance. */
export const methodName = (m: string) => methodWords[m] ?? (insuranceWords[m] ? `${insuranceWords[m]} ${m}` : m)
