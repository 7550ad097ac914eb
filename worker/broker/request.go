package broker

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

// Retries of a request before its message is nak'ed. The election of a new stream leader after a crash takes 4 to 6 s.
const (
	tryFor   = 15 * time.Second
	oneTry   = 3 * time.Second
	tryAgain = 100 * time.Millisecond
)

// Request sends a request to the broker and returns the reply. It retries until there is a reply, for tryFor or until ctx ends.
// It notices a cancellation of ctx only between two tries. If no try gets a reply, it prefers the error "no responders" of any
// try. The last try may have had too little time to receive that.
func Request(ctx context.Context, nc *nats.Conn, msg *nats.Msg) (*nats.Msg, error) {
	var failure error
	for end := time.Now().Add(tryFor); ; {
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), failure)
		}
		patience := oneTry
		if by, ok := ctx.Deadline(); ok {
			patience = min(patience, time.Until(by))
		}
		reply, err := nc.RequestMsg(msg, patience)
		if !unanswered(err) {
			return reply, err
		}
		if failure == nil || errors.Is(err, nats.ErrNoResponders) {
			failure = err
		}
		if time.Until(end) < tryAgain {
			return nil, failure
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), failure)
		case <-time.After(tryAgain):
		}
	}
}

func unanswered(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout)
}

// Write publishes a message to a stream, with the retries of Request, and returns its sequence. A *jetstream.APIError means
// that the stream refused the message.
func Write(ctx context.Context, nc *nats.Conn, msg *nats.Msg) (uint64, error) {
	reply, err := Request(ctx, nc, msg)
	if err != nil {
		return 0, err
	}
	return readAck(reply.Data)
}

// readAck parses the ack of a stream. The usual form takes a fast path, any other is parsed as JSON.
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
		return 0, fmt.Errorf("broker: an acknowledgement: %w", err)
	case ack.Error != nil:
		return 0, ack.Error
	case ack.Stream == "":
		return 0, errors.New("broker: what came is no acknowledgement")
	}
	return ack.Sequence, nil
}

// IsConflict reports whether the server refused a write for its expected sequence: 10071, or in a cluster 10071 or 10164.
func IsConflict(err error) bool {
	const wrongLastSequence, wrongLastSequenceConstant = 10071, 10164
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (api.ErrorCode == wrongLastSequence || api.ErrorCode == wrongLastSequenceConstant)
}
