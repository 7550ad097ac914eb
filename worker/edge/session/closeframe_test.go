package session

import (
	"encoding/binary"
	"testing"

	"ringline.io/ringline/worker/meter"
)

// closeFrame returns the frame with which a server ends a connection.
func closeFrame(code uint16, reason string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0x88, byte(2 + len(reason))}, code), reason...)
}

func TestRefusedBeneath(t *testing.T) {
	for name, x := range map[string]struct {
		frame []byte
		want  meter.Refused
	}{
		"too big":                  {closeFrame(1009, ""), meter.RefusedSize},
		"no frames":                {closeFrame(1002, "bad opcode 15"), meter.RefusedData},
		"no UTF-8":                 {closeFrame(1007, ""), meter.RefusedData},
		"no command":               {closeFrame(3501, "bad request"), meter.RefusedData},
		"connect data, told by us": {closeFrame(3501, "bad request: showing: must be an array"), ""},
		"no token, told by us":     {closeFrame(3500, "invalid token"), ""},
		"the client went":          {closeFrame(1000, ""), ""},
		"without a code":           {[]byte{0x88, 0}, ""},
		"a push":                   {[]byte{0x81, 2, '{', '}'}, ""},
		"a push that looks so":     {append([]byte{0x81, 4}, closeFrame(1009, "")...), ""},
		"nothing":                  {nil, ""},
	} {
		if why, refused := refusedBeneath(x.frame); why != x.want || refused != (x.want != "") {
			t.Errorf("%s: %q, %v", name, why, refused)
		}
	}
}
