package coordinator

import "sync"

// bodies pools the buffers of published messages. They can be reused because the connection copies what it publishes.
type bodies struct{ pool sync.Pool }

// mostKept is the maximum capacity of a buffer that is kept.
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
