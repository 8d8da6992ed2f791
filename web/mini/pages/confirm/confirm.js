// 商家转账的确认收款。成功回调只说明页面打开过，是否到账以服务器查询为准，所以总是回到网页。
Page({
  data: { text: '正在打开微信确认收款页…', again: false },

  onLoad(options) {
    this.asked = {
      mchId: decodeURIComponent(options.mch_id || ''),
      appId: decodeURIComponent(options.app_id || ''),
      package: decodeURIComponent(options.package || ''),
    }
    this.open()
  },

  open() {
    if (!wx.requestMerchantTransfer) {
      this.setData({ text: '微信版本过低，不能确认收款。请更新微信后再试，钱仍在等您确认。', again: false })
      return
    }
    wx.requestMerchantTransfer({
      mchId: this.asked.mchId,
      appId: this.asked.appId,
      package: this.asked.package,
      success: () => this.back(),
      fail: () => this.setData({ text: '还没有确认收款，可以再次打开。', again: true }),
    })
  },

  back() {
    wx.navigateBack()
  },
})
