package events

import (
	"fmt"
	"time"
)

// Time is a UTC time in whole milliseconds since 1970. The zero value means "unset". In JSON it is RFC 3339 in UTC
// with three fraction digits.
type Time int64

// TimeOf truncates a time to milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// DeadlineOf rounds a time up to milliseconds, so that a deadline is never early.
func DeadlineOf(t time.Time) Time {
	ms := Time(t.UnixMilli())
	if t.After(ms.Time()) {
		ms++
	}
	return ms
}

// Time converts t to a time.Time in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add returns t+d, with d truncated to milliseconds.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

func (t Time) String() string { return string(t.append(nil)) }

// append appends the encoded time. The standard library formats RFC 3339 five times as fast as other layouts.
func (t Time) append(b []byte) []byte {
	b = t.Time().AppendFormat(b, time.RFC3339)
	ms := (int64(t)%1000 + 1000) % 1000
	return append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// MarshalText encodes the time as RFC 3339 with three fraction digits.
func (t Time) MarshalText() ([]byte, error) { return t.append(nil), nil }

// UnmarshalText decodes any RFC 3339 time and truncates it to milliseconds.
func (t *Time) UnmarshalText(b []byte) error {
	v, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		// The error does not quote b, which may be any input.
		return fmt.Errorf("events: a time of %d bytes is not RFC 3339", len(b))
	}
	*t = TimeOf(v)
	return nil
}

// AppendText appends the time as RFC 3339 with three fraction digits.
func (t Time) AppendText(b []byte) ([]byte, error) { return t.append(b), nil }
