import { expect, test } from 'vitest'
import { plainRich } from './rich'

test.each([
  ['<p>退款<strong>只能</strong>退给本人</p>', '<p>退款<strong>只能</strong>退给本人</p>'],
  ['<p onclick="x()" style="color:red" class="a">字</p>', '<p>字</p>'],
  ['<script>alert(1)</script><p>字</p>', '<p>字</p>'],
  ['<img src=x onerror=alert(1)>字', '字'],
  ['<a href="javascript:alert(1)">链接</a>', '链接'],
  ['<h1>标题</h1><p>字', '<p><strong>标题</strong></p><p>字</p>'],
  ['<svg><path d="M0 0"/></svg>字', '字'],
  ['&lt;script&gt;', '&lt;script&gt;'],
])('%s', (html, clean) => expect(plainRich(html)).toBe(clean))
