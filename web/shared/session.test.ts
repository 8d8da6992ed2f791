import { beforeEach, expect, test, vi } from 'vitest'
import { ClientResponseError } from 'pocketbase'
import { guarded, pb } from './api'
import { localRoute, openSessions } from './session'

interface Me { name: string }
const far = btoa(JSON.stringify({ exp: 4_102_444_800 })) // a token that this browser takes for valid
const entered = (id: string) => ({ token: `a.${far}.${id}`, record: { id, collectionId: 'c', collectionName: 'patients', name: '张*' } })
const open = () => openSessions<Me>('/api/hospay/me', () => '请重新登录')
const answers = (...names: string[]) => {
  const send = vi.spyOn(pb, 'send')
  for (const name of names) send.mockResolvedValueOnce({ name })
  return send
}
const unknown = () => Promise.reject(new ClientResponseError({ url: '', status: 401, response: {} }))

beforeEach(() => {
  vi.restoreAllMocks()
  pb.authStore.clear()
})

test('a session begins with who it is, and nothing else of the record is kept', () => {
  const { known, keep } = open()
  expect(known()).toBe(false)
  keep(entered('p1'))
  expect(known()).toBe(true)
  expect(pb.authStore.record).toEqual({ id: 'p1', collectionId: 'c', collectionName: 'patients' })
})

test('who it is gets asked once, and again when wanted', async () => {
  const { session, keep, loadMe } = open()
  keep(entered('p1'))
  const send = answers('张*', '张**')
  await Promise.all([loadMe(), loadMe()])
  await loadMe()
  expect(send).toHaveBeenCalledTimes(1)
  await loadMe(true)
  expect(session.me).toEqual({ name: '张**' })
})

test('an answer that comes after the session has ended is nobody\'s', async () => {
  const { session, keep, leave, loadMe } = open()
  keep(entered('p1'))
  let answer: (me: Me) => void = () => {}
  vi.spyOn(pb, 'send').mockReturnValueOnce(new Promise((done) => { answer = done }) as never)
  const asked = loadMe()
  leave()
  keep(entered('p2'))
  answer({ name: '张*' })
  await asked
  expect(session.me).toBeNull()
})

test('a session that the server ends says why, and leads away', async () => {
  const { session, known, keep, whenLost } = open()
  const away = vi.fn()
  whenLost(away)
  keep(entered('p1'))
  await expect(guarded(unknown)).rejects.toMatchObject({ code: 'session' })
  expect([known(), session.note]).toEqual([false, '请重新登录'])
  expect(away).toHaveBeenCalledTimes(1)
})

test('a session that has rested too long is told in the words of the server', async () => {
  const { session, keep } = open()
  keep(entered('p1'))
  const idle = new ClientResponseError({ url: '', status: 401, response: { data: { code: 'idle' }, message: '长时间未操作，请重新登录。' } })
  await expect(guarded(() => Promise.reject(idle))).rejects.toMatchObject({ code: 'session' })
  expect(session.note).toBe('长时间未操作，请重新登录。')
})

test('who leaves ends the session at the server, with the token that is forgotten', async () => {
  const { known, keep, out } = open()
  keep(entered('p1'))
  const token = pb.authStore.token
  const send = vi.spyOn(pb, 'send').mockRejectedValueOnce(new Error('no line'))
  await out()
  expect(known()).toBe(false)
  expect(send).toHaveBeenCalledWith('/api/hospay/auth/logout', { method: 'POST', headers: { Authorization: token } })
})

test('a late refusal does not disturb who has left by themselves', async () => {
  const { session, keep, leave, whenLost } = open()
  const away = vi.fn()
  whenLost(away)
  keep(entered('p1'))
  leave('再见')
  await expect(guarded(unknown)).rejects.toMatchObject({ code: 'session' })
  expect(away).not.toHaveBeenCalled()
  expect(session.note).toBe('再见')
})

test('nobody is sent to a place that is not ours', () => {
  for (const ok of ['/', '/records/abc', '/stats?by=his_date,channel&from=2026-11-01', '/queue?no=%E5%BC%A0']) expect(localRoute(ok)).toBe(ok)
  for (const bad of ['', 'records', '//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/a b']) {
    expect(localRoute(bad)).toBe('/')
  }
})
