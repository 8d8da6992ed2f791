// Rich text that the hospital writes (notices, consent) is shown with its
// structure and nothing else: no attributes, links, images or styles.
const kept = new Set(['P', 'BR', 'B', 'STRONG', 'I', 'EM', 'U', 'UL', 'OL', 'LI', 'TABLE', 'THEAD', 'TBODY', 'TR', 'TD', 'TH'])
const dropped = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'IFRAME', 'OBJECT', 'SVG', 'MATH', 'NOSCRIPT'])

/** plainRich returns safe HTML. Headings become bold paragraphs, so that each page keeps its one outline. */
export function plainRich(html: string): string {
  const source = new DOMParser().parseFromString(html, 'text/html')
  const target = document.createElement('div')
  copy(source.body, target)
  return target.innerHTML
}

function copy(from: Node, to: Node): void {
  from.childNodes.forEach((node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      to.appendChild(document.createTextNode(node.textContent ?? ''))
      return
    }
    if (!(node instanceof Element) || dropped.has(node.nodeName.toUpperCase())) return
    const name = node.nodeName.toUpperCase()
    if (/^H[1-6]$/.test(name)) {
      const bold = document.createElement('strong')
      copy(node, bold)
      to.appendChild(document.createElement('p')).appendChild(bold)
      return
    }
    const next = kept.has(name) ? to.appendChild(document.createElement(name)) : to
    copy(node, next)
  })
}
