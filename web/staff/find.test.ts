import { expect, test } from 'vitest'
import { number } from './find'

test('only numbers stand in an address as they are', () => {
  for (const n of ['R20261129000123', 'P0001', 'C0021', '4200001234567890', 'R1-2_3.4']) expect(number(n), n).toBe(true)
  for (const n of ['', '王秀英', '阿依古丽·买买提', 'MARIA SANTOS', 'Maria', '1380013', '13800138000', '8613800138000', '+8613800138000', '4321', '138 0013 8000']) {
    expect(number(n), n).toBe(n === '1380013')
  }
})
