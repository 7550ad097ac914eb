package worker

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// NoRoomError means that the byte limits don't fit into what the account may store.
type NoRoomError struct {
	Total    int64 // what the limits add up to, on each node
	Replicas int64 // how often the account's limit counts that
	Others   int64 // what other streams of the account have reserved
	Limit    int64 // of the account
}

func (e *NoRoomError) Error() string { return "worker: the byte limits don't fit into the account" }

// TooMuch is by how many bytes the account's limit is exceeded.
func (e *NoRoomError) TooMuch() int64 { return e.Total*e.Replicas + e.Others - e.Limit }

// CheckRoom gives a *NoRoomError where the limits of all streams and buckets add up to more than the account may store. Of an
// account without a limit it knows nothing: the servers' own limits show only once a stream is made.
func CheckRoom(ctx context.Context, js jetstream.JetStream, s Settings) error {
	info, err := js.AccountInfo(ctx)
	if err != nil {
		return fmt.Errorf("worker: ask for the limits of the account: %w", err)
	}
	tier, copies := info.Tier, int64(s.Replicas)
	if t, tiered := info.Tiers[fmt.Sprintf("R%d", s.Replicas)]; tiered {
		tier, copies = t, 1
	}
	limit, reserved := tier.Limits.MaxStore, tier.ReservedStore
	if s.Storage == jetstream.MemoryStorage {
		limit, reserved = tier.Limits.MaxMemory, tier.ReservedMemory
	}
	if limit < 0 {
		return nil
	}
	own, err := ownReserved(ctx, js, s)
	if err != nil {
		return err
	}
	e := &NoRoomError{Total: s.MaxBytes.Total(), Replicas: copies, Others: max(0, int64(min(reserved, 1<<62))-own), Limit: limit}
	if e.TooMuch() > 0 {
		return e
	}
	return nil
}

// ownReserved is what our streams have reserved by now.
func ownReserved(ctx context.Context, js jetstream.JetStream, s Settings) (sum int64, err error) {
	names := map[string]bool{}
	for _, c := range s.streams() {
		names[c.Name] = true
	}
	for _, c := range s.buckets() {
		names["KV_"+c.Bucket] = true
	}
	list := js.ListStreams(ctx)
	for info := range list.Info() {
		if names[info.Config.Name] && info.Config.Storage == s.Storage {
			sum += max(0, info.Config.MaxBytes)
		}
	}
	if err := list.Err(); err != nil {
		return 0, fmt.Errorf("worker: list the streams: %w", err)
	}
	return sum, nil
}
