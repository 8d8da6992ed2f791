import { createRouter, createWebHashHistory } from 'vue-router'
import { lazily, watchChunks } from '@shared/chunks'
import { t } from '@shared/i18n'
import Home from './pages/Home.vue'
import { draft, openDraft } from './draft'
import { comeBack, known, whenLost } from './session'

// Hash routes: WeChat binds its SDK and its payment pages to the address before
// the hash, and the portal's links stay short.
export const router = createRouter({
  history: createWebHashHistory(),
  routes: lazily([
    { path: '/', component: Home, meta: { title: 'page.home.title' } },
    { path: '/enter', component: () => import('./pages/Enter.vue'), meta: { title: 'page.enter.title', open: true } },
    { path: '/enter/who', component: () => import('./pages/Who.vue'), meta: { title: 'page.who.title', open: true } },
    { path: '/status', component: () => import('./pages/Status.vue'), meta: { title: 'page.status.title', open: true } },
    { path: '/apply/notice', component: () => import('./apply/Notice.vue'), meta: { title: 'page.notice.title' } },
    { path: '/apply/card', component: () => import('./apply/Card.vue'), meta: { title: 'page.card.title' } },
    { path: '/apply/route', component: () => import('./apply/Route.vue'), meta: { title: 'page.route.title' } },
    { path: '/apply/details', component: () => import('./apply/Details.vue'), meta: { title: 'page.details.title' } },
    { path: '/apply/check', component: () => import('./apply/Check.vue'), meta: { title: 'page.check.title' } },
    { path: '/apply/done', component: () => import('./apply/Done.vue'), meta: { title: 'page.done.title' } },
    { path: '/records', component: () => import('./pages/Records.vue'), meta: { title: 'page.records.title' } },
    { path: '/records/:id', component: () => import('./pages/Detail.vue'), meta: { title: 'page.detail.title' } },
    { path: '/records/:id/confirm', component: () => import('./pages/Confirm.vue'), meta: { title: 'page.confirm.title' } },
    { path: '/pay', component: () => import('./pay/Bills.vue'), meta: { title: 'page.pay.title' } },
    { path: '/pay/bill', component: () => import('./pay/Bill.vue'), meta: { title: 'page.pay.bill' } },
    { path: '/pay/insurance', component: () => import('./pay/Insurance.vue'), meta: { title: 'page.pay.insurance' } },
    { path: '/register', component: () => import('./pay/Register.vue'), meta: { title: 'page.register.title' } },
    { path: '/register/:department', component: () => import('./pay/Slots.vue'), meta: { title: 'page.register.slots' } },
    { path: '/payments', component: () => import('./pay/Payments.vue'), meta: { title: 'page.payments.title' } },
    { path: '/payments/:id', component: () => import('./pay/Payment.vue'), meta: { title: 'page.payment.title' } },
    { path: '/attorney', component: () => import('./pages/Attorney.vue'), meta: { title: 'page.attorney.title', open: true } },
    { path: '/messages', component: () => import('./pages/Messages.vue'), meta: { title: 'page.messages.title' } },
    { path: '/proxy', component: () => import('./pages/Proxies.vue'), meta: { title: 'page.proxies.title' } },
    { path: '/proxy/new', component: () => import('./pages/ProxyNew.vue'), meta: { title: 'page.proxy_new.title' } },
    { path: '/proxy/:id', component: () => import('./pages/Proxy.vue'), meta: { title: 'page.proxy.title' } },
    { path: '/:rest(.*)*', component: () => import('./pages/Lost.vue'), meta: { title: 'page.lost.title', open: true } },
  ]),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

watchChunks(router, ['/', '/apply/notice', '/apply/card', '/apply/route', '/apply/details', '/apply/check', '/apply/done'])

router.beforeEach((to) => {
  if (to.meta.open || known()) return !/^\/apply\/(card|route|details|check)$/.test(to.path) || begun() || '/'
  comeBack(to.fullPath)
  return '/enter'
})

/** begun: an application is under way. One that was handed in is not come back to. */
function begun(): boolean {
  openDraft()
  return draft.begun
}

router.afterEach((to) => {
  document.title = t(String(to.meta.title ?? 'page.home.title'))
})

whenLost(() => {
  const here = router.currentRoute.value
  if (here.meta.open) return
  comeBack(here.fullPath)
  void router.replace('/enter')
})
