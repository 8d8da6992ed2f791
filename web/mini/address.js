// 网页的地址：参数加在 # 之前。
function withParams(address, params) {
  const at = address.indexOf('#')
  const page = at < 0 ? address : address.slice(0, at)
  const route = at < 0 ? '' : address.slice(at)
  const text = Object.keys(params)
    .filter((name) => params[name])
    .map((name) => name + '=' + encodeURIComponent(params[name]))
    .join('&')
  if (!text) return address
  return page + (page.indexOf('?') < 0 ? '?' : '&') + text + route
}

// same: 同一个网站的地址。从网页传来的地址，只打开自己的。
function same(address, home) {
  const origin = /^https?:\/\/[^/?#]+/.exec(home)
  return !!origin && (address === origin[0] || address.indexOf(origin[0] + '/') === 0)
}

module.exports = { withParams, same }
