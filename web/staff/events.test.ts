// @vitest-environment node
// Every event that the program writes has words in the console.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { callText, eventText } from './events'

const domain = fileURLToPath(new URL('../../refund', import.meta.url))

test('no event is shown by its name in the books', () => {
  const texts = readdirSync(domain).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go')).map((f) => readFileSync(join(domain, f), 'utf8')).join('\n')
  const events = new Set([...texts.matchAll(/"((?:order|his|review|payout|suspense|callback|copy)\.[a-z_]+(?:\.[a-z_]+)?)"/g)].map((m) => m[1]!))
  expect(events.size).toBeGreaterThan(20)
  expect([...events].filter((e) => eventText(e) === e)).toEqual([])
})

test('the desk names its actions, and no call waits that the other side does not know', () => {
  expect(eventText('suspense.confirmed', 'restore')).toBe('确认处理“退回就诊卡”')
  expect(eventText('suspense.proved', '')).toBe('查询证实，回到流程')
  expect(callText({ state: 'open', reported: 'not_found' })).toBe('对方没有此单')
  expect(callText({ state: 'open', reported: '' })).toBe('等待结果')
  expect(callText({ state: 'held', reported: 'not_found' })).toBe('暂缓') // it goes out again
})
