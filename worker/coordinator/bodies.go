package coordinator

import "sync"

// bodies are buffers for messages that are published. A connection copies what it is given, so each is used again.
type bodies struct{ pool sync.Pool }

// mostKept is the size beyond which a buffer is not kept.
const mostKept = 64 << 10

func (x *bodies) take() *[]byte {
	if b, ok := x.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 4<<10)
	return &b
}

func (x *bodies) giveBack(b *[]byte) {
	if cap(*b) > mostKept {
		return
	}
	*b = (*b)[:0]
	x.pool.Put(b)
}
