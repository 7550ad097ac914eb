package streams

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// NoRoomError means that the byte limits exceed the storage limit of the account.
type NoRoomError struct {
	Total    int64 // sum of the limits, on each node
	Replicas int64 // the factor by which the account's limit counts the total
	Others   int64 // bytes that other streams of the account reserve, as the account's limit counts them
	Limit    int64 // storage limit of the account
}

func (e *NoRoomError) Error() string { return "streams: the byte limits don't fit into the account" }

// TooMuch returns by how many bytes the account's limit is exceeded.
func (e *NoRoomError) TooMuch() int64 { return e.Total*e.Replicas + e.Others - e.Limit }

// CheckRoom returns a *NoRoomError if the limits of all streams and buckets exceed the storage limit of the account. It can't
// check an account without a limit: the servers' own limits apply only when a stream is created.
func CheckRoom(ctx context.Context, js jetstream.JetStream, s Settings) error {
	info, err := js.AccountInfo(ctx)
	if err != nil {
		return fmt.Errorf("streams: ask for the limits of the account: %w", err)
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

// otherReserved returns how much of the limit the streams of other applications reserve. An account's limit counts every
// replica. The limit of a tier counts each stream with that number of replicas once. The server's own figure for reserved bytes
// counts every stream once.
func otherReserved(ctx context.Context, js jetstream.JetStream, s Settings, tiered bool) (sum int64, err error) {
	own := map[string]bool{}
	for _, name := range StreamNames() {
		own[StreamOf(name)] = true
	}
	list := js.ListStreams(ctx)
	for info := range list.Info() {
		c := info.Config
		switch {
		case own[c.Name] || c.Storage != s.Storage || c.MaxBytes < 0:
		case !tiered:
			sum += c.MaxBytes * int64(c.Replicas)
		case c.Replicas == s.Replicas:
			sum += c.MaxBytes
		}
	}
	if err := list.Err(); err != nil {
		return 0, fmt.Errorf("streams: list the streams: %w", err)
	}
	return sum, nil
}
