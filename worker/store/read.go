package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/broker"
)

// errNoMessage means that the stream has no such message.
var errNoMessage = errors.New("store: no such message")

// Subjects of the JetStream API that read one message of a stream: from any replica, and from the leader.
const (
	apiDirectGet = "$JS.API.DIRECT.GET."
	apiLeaderGet = "$JS.API.STREAM.MSG.GET."
)

// reader reads single messages of a stream.
type reader struct {
	nc     *nats.Conn
	stream string
}

type getRequest struct {
	Sequence      uint64 `json:"seq,omitempty"`
	NextBySubject string `json:"next_by_subj,omitempty"`
	LastBySubject string `json:"last_by_subj,omitempty"`
}

// stored is a message of a stream.
type stored struct {
	seq  uint64
	data []byte
}

type getter func(context.Context, getRequest) (stored, error)

// anywhere reads the last message on a subject from any replica.
func (r reader) anywhere(ctx context.Context, what getRequest) (stored, error) {
	m, err := broker.Request(ctx, r.nc, &nats.Msg{Subject: apiDirectGet + r.stream + "." + what.LastBySubject})
	if err != nil {
		return stored{}, err
	}
	switch status := m.Header.Get("Status"); status {
	case "":
	case "404":
		return stored{}, errNoMessage
	default:
		return stored{}, fmt.Errorf("store: direct get: %s %s", status, m.Header.Get("Description"))
	}
	seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
	return stored{seq: seq, data: m.Data}, err
}

func (r reader) atLeader(ctx context.Context, what getRequest) (stored, error) {
	body, err := json.Marshal(what)
	if err != nil {
		return stored{}, fmt.Errorf("store: request: %w", err)
	}
	m, err := broker.Request(ctx, r.nc, &nats.Msg{Subject: apiLeaderGet + r.stream, Data: body})
	if err != nil {
		return stored{}, err
	}
	var reply struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Seq  uint64 `json:"seq"`
			Data []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		return stored{}, fmt.Errorf("store: read from the leader: %w", err)
	}
	switch {
	case reply.Error == nil:
		return stored{seq: reply.Message.Seq, data: reply.Message.Data}, nil
	case reply.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return stored{}, errNoMessage
	}
	return stored{}, reply.Error
}
