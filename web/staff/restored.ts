// Whether the data folder is a restored copy, which moves no money until two
// people have released it. Every page tells it.
import { reactive } from 'vue'
import type { RestoredView } from '@shared/answers'
import { call } from '@shared/api'

export const restored = reactive({ view: null as RestoredView | null })

/** loadRestored asks how the folder stands. */
export async function loadRestored(): Promise<void> {
  restored.view = await call<RestoredView>('GET', '/api/hospay/restored')
}

const reasons: Record<string, string> = {
  moved: '目录换了位置或机器', replaced: '目录里的数据库文件是复制来的', older: '数据库比上次运行时的旧', restored: '由备份恢复',
}
export const reasonText = (why: string) => reasons[why] ?? why

/** checkedShare is how much of what is under way has been asked for, in percent. */
export function checkedShare(v: Pick<RestoredView, 'open' | 'unchecked'>): number {
  return v.open ? Math.floor((v.open - v.unchecked) / v.open * 100) : 100
}
