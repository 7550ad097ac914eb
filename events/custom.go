package events

import (
	"slices"
	"unicode/utf8"
)

// MaxCustom is the maximum total size in bytes of the custom data that a call stores for later transitions, measured
// by WrittenLen.
const MaxCustom = 16 << 10

// FirstSeq is the seq of the invitation. Its custom data is in call.custom_data; that of later transitions is in
// call.custom.
const FirstSeq = 1

// DataOf returns the custom data that applies to this callee.
func (c Call) DataOf(x Callee) string {
	if x.CustomSeq == FirstSeq {
		return c.CustomData
	}
	return c.Custom[x.CustomSeq]
}

// seenBy returns the custom data of later transitions that applies to this callee.
func (c Call) seenBy(x *Callee) map[int]string {
	if x == nil {
		return nil
	}
	if data, ok := c.Custom[x.CustomSeq]; ok {
		return map[int]string{x.CustomSeq: data}
	}
	return nil
}

// stored returns the call in the layout of this format. In format 1 each callee holds their own custom data, and no party
// has a changed_seq or a picture.
func (c Call) stored(format int) Call {
	if format > 1 {
		return c
	}
	c.Callees = slices.Clone(c.Callees)
	for i := range c.Callees {
		x := &c.Callees[i]
		x.CustomData, x.CustomSeq = c.DataOf(*x), 0
		x.ChangedSeq, x.Watched, x.Avatar = 0, false, ""
	}
	c.Custom, c.Caller.ChangedSeq, c.Caller.Watched, c.Caller.Avatar = nil, 0, false, ""
	return c
}

// read converts a call from the layout of this format to the one in memory. Format 1 does not store which transition
// the custom data came from, so its entries get the lowest free seqs.
func (c Call) read(format int) Call {
	if format > 1 {
		return c
	}
	c.Custom = nil
	next, seqs := FirstSeq+1, map[string]int{}
	for i := range c.Callees {
		x := &c.Callees[i]
		switch data := x.CustomData; {
		case data == "":
			x.CustomSeq = 0
		case data == c.CustomData:
			x.CustomSeq = FirstSeq
		case seqs[data] != 0:
			x.CustomSeq = seqs[data]
		default:
			if c.Custom == nil {
				c.Custom = map[int]string{}
			}
			x.CustomSeq, seqs[data], c.Custom[next] = next, next, data
			next++
		}
		x.CustomData = ""
	}
	return c
}

// WrittenLen returns the encoded size of s in bytes, without the quotes, in a message that Ringline writes.
func WrittenLen(s string) int {
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"', r == '\\', r == '\n', r == '\r', r == '\t', r == '\b', r == '\f':
			n += 2
		case r < ' ':
			n += 6
		default:
			n += utf8.RuneLen(r) // U+FFFD for an invalid byte
		}
		i += size
	}
	return n
}
