package session

import (
	"encoding/binary"

	"ringline.io/ringline/worker/meter"
)

// The WebSocket close codes for frames that a client must not send.
const (
	wsProtocol    = 1002
	wsUnsupported = 1003
	wsNoText      = 1007
	wsTooBig      = 1009
)

// refusedBeneath inspects a WebSocket frame that is about to be sent. If it closes the connection because the library
// rejected a client's frame, it returns the reason, because nothing else reports such a close. Refusals by this package
// are counted where they occur.
func refusedBeneath(frame []byte) (why meter.Refused, refused bool) {
	const (
		closing = 0x88
		head    = 4 // the header and the code
	)
	if len(frame) < head || frame[0] != closing {
		return "", false
	}
	switch code := binary.BigEndian.Uint16(frame[2:head]); {
	case code == wsTooBig:
		return meter.RefusedSize, true
	case code == wsProtocol, code == wsUnsupported, code == wsNoText:
		return meter.RefusedData, true
	case Code(code) == BadRequest && string(frame[head:]) == BadRequest.String(): // a refusal by admit has a longer reason
		return meter.RefusedData, true
	}
	return "", false
}
