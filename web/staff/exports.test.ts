import { afterEach, expect, test, vi } from 'vitest'
import { exportReport } from './exports'

afterEach(() => vi.unstubAllGlobals())

const answer = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })

test('a report that is too long for one answer becomes a job with the same filter', async () => {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (url: string | URL, init?: RequestInit) => {
    asked.push(`${init?.method ?? 'GET'} ${url} ${init?.body ?? ''}`.trim())
    return String(url).includes('/exports') ? answer(200, { id: 'job1' })
      : answer(400, { message: '行数过多', data: { code: 'too_many_rows', detail: '5000' } })
  })
  const later = vi.fn()
  await exportReport('audit', { action: 'order.reveal' }, later)
  expect(later).toHaveBeenCalledWith('job1')
  expect(asked[0]).toMatch(/^GET \/api\/hospay\/audit\.xlsx\?action=order\.reveal$/)
  expect(asked[1]).toMatch(/^POST .*\/api\/hospay\/exports \{"report":"audit","params":\{"action":"order.reveal"\}\}$/)
})

test('any other refusal is told and opens no job', async () => {
  vi.stubGlobal('fetch', async () => answer(403, { message: '没有权限', data: { code: 'not_allowed' } }))
  const later = vi.fn()
  await expect(exportReport('stats', {}, later)).rejects.toMatchObject({ message: expect.stringContaining('没有权限') })
  expect(later).not.toHaveBeenCalled()
})
