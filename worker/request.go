package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// How long and how often the broker is asked before a message is put back: to elect the leader of a stream that was
// killed takes 4 to 6 s.
const (
	tryFor   = 15 * time.Second
	oneTry   = 3 * time.Second
	tryAgain = 100 * time.Millisecond
)

// Request sends a request to the broker and gives its reply. It repeats what gets none, until ctx ends at the latest; an end
// of ctx that is no deadline it sees only between two tries. If no try gets a reply, the error is the most telling of all
// tries: the last one may have too little time to hear that there are no responders.
func Request(ctx context.Context, nc *nats.Conn, msg *nats.Msg) (*nats.Msg, error) {
	var telling error
	for end := time.Now().Add(tryFor); ; {
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), telling)
		}
		patience := oneTry
		if by, ok := ctx.Deadline(); ok {
			patience = min(patience, time.Until(by))
		}
		reply, err := nc.RequestMsg(msg, patience)
		if !unanswered(err) {
			return reply, err
		}
		if telling == nil || errors.Is(err, nats.ErrNoResponders) {
			telling = err
		}
		if time.Until(end) < tryAgain {
			return nil, telling
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), telling)
		case <-time.After(tryAgain):
		}
	}
}

func unanswered(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout)
}

// Write publishes a message to a stream as Request does, and gives the sequence that it has there. A *jetstream.APIError says
// that the stream does not take it.
func Write(ctx context.Context, nc *nats.Conn, msg *nats.Msg) (uint64, error) {
	reply, err := Request(ctx, nc, msg)
	if err != nil {
		return 0, err
	}
	return readAck(reply.Data)
}

// readAck reads the acknowledgement of a stream: what it mostly is at once, anything else as JSON.
func readAck(data []byte) (uint64, error) {
	if _, rest, ok := bytes.Cut(data, []byte(`","seq":`)); ok && bytes.HasPrefix(data, []byte(`{"stream":"`)) {
		if digits, ok := bytes.CutSuffix(rest, []byte("}")); ok {
			if seq, err := strconv.ParseUint(string(digits), 10, 64); err == nil {
				return seq, nil
			}
		}
	}
	var ack struct {
		Stream   string              `json:"stream"`
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(data, &ack); {
	case err != nil:
		return 0, fmt.Errorf("worker: an acknowledgement: %w", err)
	case ack.Error != nil:
		return 0, ack.Error
	case ack.Stream == "":
		return 0, errors.New("worker: what came is no acknowledgement")
	}
	return ack.Sequence, nil
}
