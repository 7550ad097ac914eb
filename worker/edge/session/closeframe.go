package session

import (
	"encoding/binary"

	"ringline.io/ringline/worker/meter"
)

// The codes of WebSocket itself for what a client must not send.
const (
	wsProtocol    = 1002
	wsUnsupported = 1003
	wsNoText      = 1007
	wsTooBig      = 1009
)

// refusedBeneath reads a WebSocket frame that is about to be sent. Where it closes the connection because of what the
// client sent, and that was found beneath us, it says why: nobody else hears of it. What we refuse is counted there.
func refusedBeneath(frame []byte) (why meter.Refused, refused bool) {
	const (
		closing = 0x88
		head    = 4 // and the code
	)
	if len(frame) < head || frame[0] != closing {
		return "", false
	}
	switch code := binary.BigEndian.Uint16(frame[2:head]); {
	case code == wsTooBig:
		return meter.RefusedSize, true
	case code == wsProtocol, code == wsUnsupported, code == wsNoText:
		return meter.RefusedData, true
	case Code(code) == BadRequest && string(frame[head:]) == BadRequest.String(): // we would say more
		return meter.RefusedData, true
	}
	return "", false
}
