import { expect, test } from 'vitest'
import { dimensions, fit } from './photo'

function png(width: number, height: number): Uint8Array {
  const head = new Uint8Array(33)
  head.set([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10])
  new DataView(head.buffer).setUint32(16, width)
  new DataView(head.buffer).setUint32(20, height)
  return head
}

test('the size of a picture is read without decoding it', () => {
  expect(dimensions(png(50_000, 50_000))).toEqual({ width: 50_000, height: 50_000 })
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe1, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0x0b, 0xb8, 0x0f, 0xa0, 3, 0, 0, 0, 0])
  expect(dimensions(jpeg)).toEqual({ width: 4000, height: 3000 })
})

test('what is no picture has no size', () => {
  for (const text of ['', '<html>', 'GIF89a']) expect(dimensions(new TextEncoder().encode(text))).toBeNull()
  expect(dimensions(new Uint8Array([0xff, 0xd8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeNull()
})

test('the longer side becomes 1600', () => {
  expect(fit(4000, 3000)).toEqual({ width: 1600, height: 1200 })
  expect(fit(300, 4000)).toEqual({ width: 120, height: 1600 })
  expect(fit(800, 600)).toEqual({ width: 800, height: 600 })
})
