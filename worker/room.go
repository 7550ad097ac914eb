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
	Others   int64 // what other streams of the account have reserved, as often as the limit counts that
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
	limit := tier.Limits.MaxStore
	if s.Storage == jetstream.MemoryStorage {
		limit = tier.Limits.MaxMemory
	}
	if limit < 0 {
		return nil
	}
	others, err := otherReserved(ctx, js, s, copies == 1 && len(info.Tiers) > 0)
	if err != nil {
		return err
	}
	e := &NoRoomError{Total: s.MaxBytes.Total(), Replicas: copies, Others: others, Limit: limit}
	if e.TooMuch() > 0 {
		return e
	}
	return nil
}

// otherReserved is what the streams that are not ours have reserved of the limit. An account's limit counts each copy, and the limit of
// a tier each stream of that many copies once. What the server reports as reserved counts every stream once.
func otherReserved(ctx context.Context, js jetstream.JetStream, s Settings, tiered bool) (sum int64, err error) {
	ours := map[string]bool{}
	for _, name := range StreamNames() {
		ours[StreamOf(name)] = true
	}
	list := js.ListStreams(ctx)
	for info := range list.Info() {
		c := info.Config
		switch {
		case ours[c.Name] || c.Storage != s.Storage || c.MaxBytes < 0:
		case !tiered:
			sum += c.MaxBytes * int64(c.Replicas)
		case c.Replicas == s.Replicas:
			sum += c.MaxBytes
		}
	}
	if err := list.Err(); err != nil {
		return 0, fmt.Errorf("worker: list the streams: %w", err)
	}
	return sum, nil
}
