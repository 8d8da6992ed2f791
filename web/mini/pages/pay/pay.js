// 自费支付（requestPayment）和医保混合支付（requestMedicalInsurancePay）。结果以服务器查询为准，所以总是回到网页。
const ways = { wechat_jsapi: 'requestPayment', wechat_medins: 'requestMedicalInsurancePay' }

Page({
  data: { text: '正在打开微信支付…', again: false },

  onLoad(options) {
    this.way = ways[options.form]
    try {
      this.values = JSON.parse(decodeURIComponent(options.values || ''))
    } catch (err) {
      this.values = null
    }
    this.open()
  },

  open() {
    if (!this.way || !this.values) {
      this.setData({ text: '没有支付参数，请返回后重新点支付。没有扣款。', again: false })
      return
    }
    if (!wx[this.way]) {
      this.setData({ text: '微信版本过低，不能打开支付页。请更新微信后再试，没有扣款。', again: false })
      return
    }
    const asked = Object.assign({}, this.values, {
      success: () => this.back(),
      fail: (res) => {
        const cancelled = /cancel/.test((res && res.errMsg) || '')
        this.setData({ text: cancelled ? '没有支付，可以再次打开。' : '支付页没有打开，请重试；仍不行的，请返回后查询结果。', again: true })
      },
    })
    wx[this.way](asked)
  },

  back() {
    wx.navigateBack()
  },
})
