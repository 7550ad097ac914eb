// Formats values as code, with a color for each type.

export const text = (string) => document.createTextNode(string)

function span(className, string) {
  return Object.assign(document.createElement('span'), { className, textContent: string })
}

/** `name(argument, …)` */
export function call(name, args) {
  const code = document.createElement('code')
  const list = args.flatMap((arg, i) => [...(i ? [text(', ')] : []), ...value(arg)])
  code.append(span('name', name), text('('), ...list, text(')'))
  return code
}

/** A long value, folded to one line until it is opened. */
export function folded(title, data) {
  const details = document.createElement('details')
  const summary = Object.assign(document.createElement('summary'), { textContent: title })
  const pre = Object.assign(document.createElement('pre'), { tabIndex: 0 })
  details.append(summary, pre)
  details.ontoggle = () => pre.replaceChildren(...value(data, '\n'))
  return details
}

/** `line`: the prefix of each line. If empty, everything is on one line. */
function value(v, line = '') {
  if (typeof v === 'string') return [span('string', JSON.stringify(v))]
  if (typeof v !== 'object' || v === null) return [span('number', String(v))]
  const isArray = Array.isArray(v)
  const next = line && line + '  '
  const items = Object.entries(v).map(([k, x]) => [...(isArray ? [] : [span('key', k), text(': ')]), ...value(x, next)])
  if (items.length === 0) return [text(isArray ? '[]' : '{}')]
  const [open, close] = isArray ? ['[', ']'] : ['{', '}']
  const all = items.flatMap((item, i) => [text((i ? (line ? ',' : ', ') : '') + (next || (isArray || i ? '' : ' '))), ...item])
  return [text(open), ...all, text(line || (isArray ? '' : ' ')), text(close)]
}
