package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/pflag"

	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
)

// read returns an app's settings and their revision, which is 0 if the app has none.
func (a apps) read(ctx context.Context, app string) (s events.AppSettings, revision uint64, err error) {
	e, err := a.kv.Get(ctx, app)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return s, 0, nil
	}
	if err != nil {
		return s, 0, fmt.Errorf("read app %s: %w", app, err)
	}
	if s, err = events.ReadAppSettings(e.Value()); err != nil {
		return s, 0, fmt.Errorf("the current settings are malformed, run `ringline app remove %s` first: %w", app, err)
	}
	return s, e.Revision(), nil
}

// change reads an app's settings, changes them, and writes them unless another writer changed them in between. It
// returns the written value.
func (a apps) change(
	ctx context.Context, app string, do func(events.AppSettings) (events.AppSettings, error),
) (value []byte, err error) {
	old, revision, err := a.read(ctx, app)
	if err != nil {
		return nil, err
	}
	s, err := do(old)
	if err != nil {
		return nil, err
	}
	if value, err = events.Encode(s); err != nil {
		return nil, err
	}
	if _, err := events.ReadAppSettings(value); err != nil {
		return nil, err
	}
	if revision == 0 {
		_, err = a.kv.Create(ctx, app, value)
	} else {
		_, err = a.kv.Update(ctx, app, value, revision)
	}
	if err != nil {
		return nil, fmt.Errorf("write app %s, which may have been changed concurrently: %w", app, err)
	}
	return value, nil
}

func setApp(ctx context.Context, a apps, args []string) error {
	value, err := a.change(ctx, args[0], a.apply)
	if err != nil {
		return err
	}
	return a.show(args[0], value)
}

// apply applies the flags that were given on the command line.
func (a apps) apply(s events.AppSettings) (events.AppSettings, error) {
	changed := false
	var bad error
	a.flags.Visit(func(f *pflag.Flag) {
		known, err := a.applyOne(f.Name, &s)
		changed = changed || known
		if err != nil {
			bad = fmt.Errorf("--%s: %w", f.Name, err)
		}
	})
	if !changed {
		return s, errors.New("nothing to set: pass one of the flags of `ringline app set --help`")
	}
	return s, bad
}

// applyOne applies one flag; known is false for a flag that is not an app setting.
func (a apps) applyOne(name string, s *events.AppSettings) (known bool, err error) {
	switch name {
	case "capacity":
		s.Capacity, err = a.number(name)
	case "max-callees":
		s.MaxCallees, err = a.number(name)
	case "commands-per-s":
		s.CommandsPerS, err = a.number(name)
	case "api-slots":
		s.APISlots, err = a.number(name)
	case "pair-invites-per-min":
		s.PairInvitesPerMin, err = a.number(name)
	case "ringing-per-caller":
		s.RingingPerCaller, err = a.number(name)
	case "ring-timeout":
		s.RingTimeoutS, err = a.seconds(name)
	case "max-duration":
		s.MaxDurationS, err = a.seconds(name)
	case "bytes-per-s":
		s.BytesPerS, err = a.bytes(name)
	case "reach":
		var reach *int
		if reach, err = a.optionalSeconds(name); err == nil {
			s.ReachS = *reach
		}
	case "lost-ringing":
		s.LostRingingS, err = a.optionalSeconds(name)
	case "lost-active":
		s.LostActiveS, err = a.optionalSeconds(name)
	case "lost-away":
		s.LostAwayS, err = a.optionalSeconds(name)
	case "service-call-prefix":
		s.ServiceCallPrefix, err = a.text(name)
	case "end-when-alone":
		var word string
		word, err = a.text(name)
		s.EndWhenAlone = events.EndWhenAlone(word)
	case "room-id-from":
		var word string
		word, err = a.text(name)
		s.RoomIDFrom = events.RoomIDFrom(word)
	case "origin":
		if s.Origins, _ = a.flags.GetStringArray(name); slices.Equal(s.Origins, []string{""}) {
			s.Origins = nil
		}
	default:
		return false, nil
	}
	return true, err
}

// text returns the value of a string flag. It rejects the empty one, because JSON omits it and the default would apply.
func (a apps) text(name string) (string, error) {
	s, _ := a.flags.GetString(name)
	if s == "" {
		return "", errors.New("must not be empty")
	}
	return s, nil
}

// number returns the value of an integer flag. It rejects 0, because JSON omits 0 and the default would apply.
func (a apps) number(name string) (int, error) {
	n, _ := a.flags.GetInt(name)
	if n < 1 {
		return 0, fmt.Errorf("must be at least 1, got %d", n)
	}
	return n, nil
}

func (a apps) seconds(name string) (int, error) {
	d, _ := a.flags.GetDuration(name)
	if d%time.Second != 0 || d <= 0 {
		return 0, fmt.Errorf("must be whole seconds, at least 1s, got %v", d)
	}
	return int(d.Seconds()), nil
}

// optionalSeconds returns seconds of which 0 differs from unset.
func (a apps) optionalSeconds(name string) (*int, error) {
	d, _ := a.flags.GetDuration(name)
	if d%time.Second != 0 || d < 0 {
		return nil, fmt.Errorf("must be whole seconds, at least 0s, got %v", d)
	}
	n := int(d.Seconds())
	return &n, nil
}

func (a apps) bytes(name string) (int, error) {
	text, _ := a.flags.GetString(name)
	var n settings.ByteSize
	if err := n.Decode(text); err != nil || n < events.MinBytesPerS || n > events.MaxBytesPerS {
		return 0, fmt.Errorf("must be from %v to %v, such as 4MiB, got %q", settings.ByteSize(events.MinBytesPerS), settings.ByteSize(events.MaxBytesPerS), text)
	}
	return int(n), nil
}
