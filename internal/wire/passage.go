package wire

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// passage is one connection over a link.
type passage struct {
	link      *Link
	near, far net.Conn
	gone      chan struct{}
	once      sync.Once
}

// piece is a unit that passes at once: a message with its subject, or any bytes.
type piece struct {
	came    time.Time
	subject string
	data    []byte
}

const (
	pieceSize = 64 << 10
	waiting   = 1024 // pieces that wait in a link before the sender's socket fills
)

// tear resets both ends.
func (p *passage) tear() {
	p.once.Do(func() {
		close(p.gone)
		reset(p.near)
		reset(p.far)
	})
}

// run forwards data until both ends are closed.
func (p *passage) run() {
	var wg sync.WaitGroup
	next := readBytes
	if p.link.messages {
		next = readMessage
	}
	wg.Go(func() { p.carry(Up, p.near, p.far, next) })
	wg.Go(func() { p.carry(Down, p.far, p.near, readBytes) })
	wg.Wait()
	p.tear()
}

// carry forwards one direction until its end, and then closes it at the receiver.
func (p *passage) carry(d Direction, from, to net.Conn, next func(*bufio.Reader) (piece, error)) {
	pieces := make(chan piece, waiting)
	go func() {
		defer close(pieces)
		r := bufio.NewReaderSize(from, pieceSize)
		for {
			x, err := next(r)
			if len(x.data) > 0 {
				x.came = time.Now()
				select {
				case pieces <- x:
				case <-p.gone:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	if !p.write(d, to, pieces) {
		p.tear()
		return
	}
	if t, ok := to.(*net.TCPConn); ok {
		_ = t.CloseWrite() // the other direction continues until its own end
	}
}

// write returns false if the passage was reset.
func (p *passage) write(d Direction, to net.Conn, pieces <-chan piece) bool {
	w := bufio.NewWriterSize(to, pieceSize)
	for x := range pieces {
		if (p.link.triggers(x.subject, false) || p.link.holds(d, x.came)) && w.Flush() != nil { // what came before does not wait for x
			return false
		}
		if !p.link.pass(d, x.came, p.gone) {
			return false
		}
		if _, err := w.Write(x.data); err != nil {
			return false
		}
		triggered := p.link.triggers(x.subject, true)
		if (triggered || len(pieces) == 0) && w.Flush() != nil {
			return false
		}
	}
	return w.Flush() == nil
}

func readBytes(r *bufio.Reader) (piece, error) {
	if _, err := r.Peek(1); err != nil {
		return piece{}, err
	}
	data := make([]byte, r.Buffered())
	n, err := io.ReadFull(r, data)
	return piece{data: data[:n]}, err
}

// readMessage reads one line of the NATS client protocol, with the payload that it announces.
func readMessage(r *bufio.Reader) (piece, error) {
	line, err := r.ReadBytes('\n')
	x := piece{data: line}
	if err != nil {
		return x, err
	}
	fields := bytes.Fields(line)
	if len(fields) < 3 || !bytes.EqualFold(fields[0], []byte("PUB")) && !bytes.EqualFold(fields[0], []byte("HPUB")) {
		return x, nil
	}
	size, err := strconv.Atoi(string(fields[len(fields)-1]))
	if err != nil {
		return x, nil //nolint:nilerr // the server will say what is wrong
	}
	x.subject = string(fields[1])
	x.data = append(x.data, make([]byte, size+len("\r\n"))...)
	n, err := io.ReadFull(r, x.data[len(line):])
	x.data = x.data[:len(line)+n]
	return x, err
}
