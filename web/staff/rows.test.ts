import { expect, test } from 'vitest'
import { merge } from './rows'

interface Row { id: string; status: string; note?: string }

test('rows that stay are the objects that they were, with what was read', () => {
  const a: Row = { id: 'a', status: 'reviewing', note: '旧' }
  const b: Row = { id: 'b', status: 'reviewing' }
  const rows = [a, b]
  const same = rows
  merge(rows, [{ id: 'c', status: 'reviewing' }, { id: 'a', status: 'paying' }])
  expect(rows).toBe(same)
  expect(rows).toEqual([{ id: 'c', status: 'reviewing' }, { id: 'a', status: 'paying' }])
  expect(rows[1]).toBe(a)
})
