package worker

import "fmt"

// Sizes are the byte limits of the streams and buckets. Every one has its own, so that none can take another's room.
// Commands, Calls, Lines and Apps refuse what is new at their limit. The others delete the oldest.
type Sizes struct {
	Commands, Calls, Timers, Lines, Apps, Events, CDRs, Rejected, Sessions int64
}

// DefaultSizes add up to less than 32 GiB.
func DefaultSizes() Sizes {
	const mib, gib = 1 << 20, 1 << 30
	return Sizes{
		Commands: gib, Calls: 16 * gib, Timers: 2 * gib, Lines: gib, Apps: 64 * mib,
		Events: 8 * gib, CDRs: gib, Rejected: gib, Sessions: gib,
	}
}

// Total is what they add up to on each node that holds a copy.
func (s Sizes) Total() int64 {
	return s.Commands + s.Calls + s.Timers + s.Lines + s.Apps + secretsBytes + s.Events + s.CDRs + s.Rejected + s.Sessions
}

// secretsBytes is the limit of RINGLINE_SECRETS, whose one secret takes some 200 bytes.
const secretsBytes = 16 << 20

// CallsPerTimers is how many bytes calls take, at least, for each byte of their deadlines.
const CallsPerTimers = 8

// check refuses a RINGLINE_TIMERS that may reach its limit. It can't refuse what is new, and would delete deadlines.
func (s Sizes) check() error {
	if least := s.Calls / CallsPerTimers; s.Timers < least {
		return fmt.Errorf("worker: RINGLINE_TIMERS must have at least 1/%d of the %d bytes of RINGLINE_CALLS, %d, got %d",
			CallsPerTimers, s.Calls, least, s.Timers)
	}
	return nil
}

// StreamOf is the stream that holds this stream or bucket.
func StreamOf(name string) string {
	if name == BucketLines || name == BucketApps || name == BucketSecrets {
		return "KV_" + name
	}
	return name
}
