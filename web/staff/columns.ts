// The columns of the order list: each tab shows what it is read for, within 1093
// pixels. What somebody has chosen for a tab stays.
import { reactive } from 'vue'
import { store, storedAs } from '@shared/storage'
import type { OrderFilter } from './filter'

export const columns = ['退款单号', '等待', '申请人', '就诊卡', '收款人', '渠道方式', '金额', '状态', 'HIS 退款日期', '到账时间', '审核方式'] as const
export type Column = (typeof columns)[number]

const person: Column[] = ['退款单号', '申请人', '就诊卡', '收款人', '渠道方式', '金额', '状态']

/** columnsOf are those of a tab that nobody has changed. */
export function columnsOf(tab: OrderFilter['tab']): Column[] {
  if (tab === '' || tab === 'rejected') return person
  return [...person, tab === 'succeeded' ? '到账时间' : '等待']
}

const KEY = 'hospay_columns'
const chosen = reactive(storedAs<Record<string, Column[]>>(KEY) ?? {})

export const shownColumns = (tab: OrderFilter['tab']): readonly Column[] => chosen[tab || 'all'] ?? columnsOf(tab)

export function chooseColumns(tab: OrderFilter['tab'], names: Column[]): void {
  chosen[tab || 'all'] = names
  store(KEY, chosen)
}
