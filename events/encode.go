package events

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Encode encodes v as one line of JSON without HTML escaping. All Ringline messages have this format.
func Encode(v any) ([]byte, error) {
	switch x := v.(type) {
	case Notification:
		return encode(&x, roomFor(len(x.Call.Callees))), nil
	case Answer:
		room := roomFor(0)
		if x.Call != nil {
			room = roomFor(len(x.Call.Callees))
		}
		return encode(&x, room), nil
	case []Entry:
		c := codec{out: make([]byte, 0, 160*len(x))}
		putItems(&c, x, func(c *codec, x *Entry) { c.object(x) })
		return c.out, nil
	}
	return encodeSlowly(v)
}

// encodeSlowly encodes the types that have no codec.
func encodeSlowly(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("events: encode %T: %w", v, err)
	}
	return plainSeparators(bytes.TrimSuffix(b.Bytes(), []byte{'\n'})), nil
}

// plainSeparators replaces the escapes of U+2028 and U+2029 by the characters. encoding/json escapes them even
// without HTML escaping: 6 bytes instead of 3. Re-encoded custom data could then exceed its size limit.
func plainSeparators(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\u202`)) {
		return b
	}
	out := b[:0] // in place: the output is never longer than the input
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
		case bytes.HasPrefix(b[i:], []byte(`\u2028`)), bytes.HasPrefix(b[i:], []byte(`\u2029`)):
			out = append(out, 0xe2, 0x80, 0xa8+b[i+5]-'8')
			i += 5
		default: // copy an escape as a whole, so that the second of two backslashes does not start another one
			out = append(out, b[i], b[i+1])
			i++
		}
	}
	return out
}

// array replaces nil by an empty slice, so that JSON has [] instead of null.
func array[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
