// 登录，并在 web-view 里打开患者页面。登录凭证 code 只能用一次，有效 5 分钟，由服务器换取 openid。
const config = require('../../config')
const { same, withParams } = require('../../address')

Page({
  data: { src: '', failed: false },

  // route 是患者页面里的路由，例如消息模板里的 pages/index/index?url=…
  onLoad(options) {
    const asked = decodeURIComponent((options && options.url) || '')
    this.address = asked && same(asked, config.home) ? asked : config.home
    this.enter()
  },

  // 从原生页返回时，可能要带着结果重新打开网页。
  onShow() {
    const state = getApp().globalData
    if (!state.back) return
    const back = state.back
    state.back = ''
    if (same(back, config.home)) this.setData({ src: back })
  },

  enter() {
    this.setData({ failed: false })
    wx.login({
      success: (res) => {
        if (!res.code) {
          this.setData({ failed: true })
          return
        }
        this.setData({ src: withParams(this.address, { inst: config.institution, mini: res.code }) })
      },
      fail: () => this.setData({ failed: true }),
    })
  },
})
