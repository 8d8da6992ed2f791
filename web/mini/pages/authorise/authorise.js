// 医保电子凭证授权：跳到腾讯的小程序，回来时带着 authCode，交给网页。
const { withParams } = require('../../address')

Page({
  data: { text: '将打开医保电子凭证小程序，授权医院用医保支付这一次的费用。' },

  onLoad(options) {
    this.appId = decodeURIComponent(options.app_id || '')
    this.path = decodeURIComponent(options.path || '')
    this.page = decodeURIComponent(options.back || '')
    this.left = false
  },

  go() {
    wx.navigateToMiniProgram({
      appId: this.appId,
      path: this.path,
      success: () => { this.left = true },
      fail: () => this.setData({ text: '没有打开医保电子凭证，请重试。' }),
    })
  },

  onShow() {
    if (!this.left) return
    this.left = false
    const from = wx.getEnterOptionsSync().referrerInfo || {}
    const code = (from.extraData && from.extraData.authCode) || ''
    if (from.appId !== this.appId || !code) {
      this.setData({ text: '没有完成授权，可以再试一次，或返回选择自费。' })
      return
    }
    getApp().globalData.back = withParams(this.page, { authCode: code })
    this.back()
  },

  back() {
    wx.navigateBack()
  },
})
