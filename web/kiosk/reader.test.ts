// What a scanner types is one thing, however the keys come.
import { expect, test, vi } from 'vitest'
import { read, typed } from './reader'

const CODE = '4240000000000000000000000005'

test('a scanner types and ends with Enter; what somebody else has typed before is forgotten', () => {
  const got: string[] = []
  const key = typed((text) => got.push(text))
  key('9', 0)
  let at = 5000
  for (const c of CODE) expect(key(c, at++)).toBe(true)
  expect(key('Shift', at)).toBe(false)
  expect(key('Enter', at)).toBe(true)
  expect(key('Enter', at)).toBe(false)
  expect(got).toEqual([CODE])
})

test('the reader says what was read, that nothing was, and that it was cancelled', async () => {
  const says = (status: number, body: unknown) => vi.stubGlobal('fetch', async () => new Response(JSON.stringify(body), { status }))
  const now = () => read('http://127.0.0.1:18099/', 'id_card', new AbortController().signal)
  says(200, { no: '1', name: '张示例' })
  expect(await now()).toEqual({ no: '1', name: '张示例' })
  says(408, {})
  expect(await now()).toBeNull()
  says(409, {})
  await expect(now()).rejects.toMatchObject({ code: 'reader_cancelled' })
  for (const body of [{}, { no: '' }, { no: 1 }, null]) {
    says(200, body)
    await expect(now()).rejects.toMatchObject({ code: 'reader_failed' })
  }
  vi.stubGlobal('fetch', async () => { throw new TypeError('refused') })
  await expect(now()).rejects.toMatchObject({ code: 'reader_away' })
  vi.unstubAllGlobals()
})
