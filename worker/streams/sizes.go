package streams

import "fmt"

// Sizes holds the byte limits of the streams and buckets. Each has its own limit, so that none can use up the space of another.
// Commands, Calls, Lines and Apps refuse new messages at their limit. The others delete the oldest.
type Sizes struct {
	Commands, Calls, Timers, Lines, Apps, Events, CDRs, Rejected, Sessions int64
}

// DefaultSizes returns limits that add up to less than 32 GiB.
func DefaultSizes() Sizes {
	const mib, gib = 1 << 20, 1 << 30
	return Sizes{
		Commands: gib, Calls: 16 * gib, Timers: 2 * gib, Lines: gib, Apps: 64 * mib,
		Events: 8 * gib, CDRs: gib, Rejected: gib, Sessions: gib,
	}
}

// Total returns the sum of the limits, for each node that holds a replica.
func (s Sizes) Total() int64 {
	return s.Commands + s.Calls + s.Timers + s.Lines + s.Apps + secretsBytes + s.Events + s.CDRs + s.Rejected + s.Sessions
}

// secretsBytes is the limit of RINGLINE_SECRETS. One secret takes some 200 bytes.
const secretsBytes = 16 << 20

// CallsPerTimers is the minimum number of bytes that calls take for each byte of their deadlines.
const CallsPerTimers = 8

// check refuses limits with which RINGLINE_TIMERS can become full. That stream can't refuse new messages, so it would delete
// deadlines.
func (s Sizes) check() error {
	if least := s.Calls / CallsPerTimers; s.Timers < least {
		return fmt.Errorf("streams: RINGLINE_TIMERS must have at least 1/%d of the %d bytes of RINGLINE_CALLS, %d, got %d",
			CallsPerTimers, s.Calls, least, s.Timers)
	}
	return nil
}

// StreamOf returns the name of the stream that stores this stream or bucket.
func StreamOf(name string) string {
	if name == BucketLines || name == BucketApps || name == BucketSecrets {
		return "KV_" + name
	}
	return name
}
