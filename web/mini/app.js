// back: 从原生页返回后，网页要打开的地址。
App({ globalData: { back: '' } })
