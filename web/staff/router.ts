import { createRouter, createWebHashHistory } from 'vue-router'
import { failure } from '@shared/api'
import { lazily, watchChunks } from '@shared/chunks'
import { known, leave, loadMe, may, type Role, whenLost } from './session'

/** Place is a page of the menu; several: for who works in several institutions. */
export interface Place { path: string; title: string; roles: Role[]; menu: boolean; count?: string; several?: true }

const money: Role[] = ['reviewer', 'finance', 'cashier', 'auditor']

export const places: (Place & { component: () => Promise<unknown> })[] = [
  { path: '/home', title: '等我处理', roles: [...money, 'config'], menu: true, count: 'todo', component: () => import('./pages/Home.vue') },
  { path: '/queue', title: '退款订单', roles: money, menu: true, count: 'reviewing', component: () => import('./pages/Queue.vue') },
  { path: '/orders/:id', title: '退款详情', roles: money, menu: false, component: () => import('./pages/Order.vue') },
  { path: '/orders/:id/print', title: '退款凭证', roles: money, menu: false, component: () => import('./pages/Voucher.vue') },
  { path: '/payments', title: '缴费订单', roles: money, menu: true, count: 'payments', component: () => import('./pages/Payments.vue') },
  { path: '/payments/:id', title: '缴费详情', roles: money, menu: false, component: () => import('./pages/Payment.vue') },
  { path: '/proxies', title: '代办审核', roles: ['reviewer', 'auditor'], menu: true, count: 'proxies', component: () => import('./pages/Proxies.vue') },
  { path: '/proxies/:id', title: '代办详情', roles: ['reviewer', 'auditor'], menu: false, component: () => import('./pages/Proxy.vue') },
  {
    path: '/reveals', title: '查看放行', roles: ['reviewer', 'finance', 'auditor', 'config'], menu: true, count: 'reveals',
    component: () => import('./pages/Reveals.vue'),
  },
  { path: '/unknown', title: '结果待查', roles: money, menu: true, count: 'unknown', component: () => import('./pages/Unknown.vue') },
  { path: '/suspense', title: '挂账处理', roles: money, menu: true, count: 'suspense', component: () => import('./pages/Suspense.vue') },
  { path: '/reviews', title: '审核记录', roles: money, menu: true, component: () => import('./pages/Reviews.vue') },
  { path: '/transfers', title: '出款单', roles: money, menu: true, component: () => import('./pages/Transfers.vue') },
  { path: '/stats', title: '退款统计', roles: money, menu: true, component: () => import('./pages/Stats.vue') },
  { path: '/stats/print', title: '退款汇总凭证', roles: money, menu: false, component: () => import('./pages/StatsVoucher.vue') },
  { path: '/payment-stats', title: '缴费统计', roles: money, menu: true, component: () => import('./pages/PaymentStats.vue') },
  { path: '/group', title: '院区汇总', roles: money, menu: true, several: true, component: () => import('./pages/Group.vue') },
  { path: '/recon', title: '三方对账', roles: ['finance', 'auditor'], menu: true, count: 'recon', component: () => import('./pages/Recon.vue') },
  { path: '/recon/:date', title: '对账日', roles: ['finance', 'auditor'], menu: false, component: () => import('./pages/ReconDay.vue') },
  { path: '/receipts', title: '电子回单', roles: ['finance', 'auditor'], menu: true, component: () => import('./pages/Receipts.vue') },
  { path: '/exports', title: '导出任务', roles: money, menu: true, component: () => import('./pages/Exports.vue') },
  {
    path: '/config', title: '系统配置', roles: ['config', 'finance', 'auditor'], menu: true, count: 'changes', component: () => import('./pages/Config.vue'),
  },
  { path: '/restored', title: '恢复核对', roles: [...money, 'config'], menu: false, component: () => import('./pages/Restored.vue') },
  { path: '/account', title: '我的账号', roles: [...money, 'config'], menu: false, component: () => import('./pages/Account.vue') },
  { path: '/audit', title: '审计日志', roles: ['auditor'], menu: true, component: () => import('./pages/Audit.vue') },
]

export const router = createRouter({
  history: createWebHashHistory('/staff/'),
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
  routes: lazily([
    { path: '/', redirect: '/home' },
    { path: '/login', component: () => import('./pages/Login.vue'), meta: { title: '登录', open: true } },
    ...places.map((p) => ({ path: p.path, component: p.component as () => Promise<never>, meta: { title: p.title, roles: p.roles } })),
    { path: '/:rest(.*)*', component: () => import('./pages/Lost.vue'), meta: { title: '没有这个页面' } },
  ]),
})

watchChunks(router)

router.beforeEach(async (to) => {
  if (to.meta.open) return true
  if (!known()) return { path: '/login', query: to.path === '/' ? {} : { to: to.fullPath } }
  try {
    await loadMe()
  } catch (err) {
    if (failure(err).code === 'password_change_required') leave('请登录并设置自己的密码。')
    return known() ? true : { path: '/login' }
  }
  const roles = to.meta.roles as Role[] | undefined
  return !roles || may(...roles) ? true : '/home'
})

// A list is come back to as it was left, with filter and page.
const left = new Map<string, string>()
router.afterEach((to) => { left.set(to.path, to.fullPath) })
export const leftAt = (path: string) => left.get(path) ?? path

whenLost(() => {
  const here = router.currentRoute.value
  if (!here.meta.open) void router.replace({ path: '/login', query: { to: here.fullPath } })
})
