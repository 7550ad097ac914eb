package coordinator

import "sync"

// bufferPool pools the buffers of published messages. They can be reused because the connection copies what it publishes.
type bufferPool struct{ pool sync.Pool }

// mostKept is the maximum capacity of a buffer that is kept.
const mostKept = 64 << 10

func (x *bufferPool) Get() *[]byte {
	if b, ok := x.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 4<<10)
	return &b
}

func (x *bufferPool) Put(b *[]byte) {
	if cap(*b) > mostKept {
		return
	}
	*b = (*b)[:0]
	x.pool.Put(b)
}
