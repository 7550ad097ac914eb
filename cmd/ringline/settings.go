package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
)

const settingsPrefix = "RINGLINE"

// settings are what the environment says, each as RINGLINE_<NAME>. Names come from split_words alone: a tag
// envconfig:"PORT" would also read a variable PORT without the prefix.
type settings struct {
	NatsURL      string        `split_words:"true" default:"nats://127.0.0.1:4222" desc:"the NATS server of verbs and watch"`
	App          string        `split_words:"true" default:"demo" desc:"the app of verbs and watch"`
	InboxPrefix  string        `split_words:"true" default:"_INBOX" desc:"replies go below this subject and nowhere else"`
	LogLevel     string        `split_words:"true" default:"info" desc:"debug, info, warn or error"`
	RingTimeout  time.Duration `split_words:"true" default:"60s" desc:"how long it rings, 1s to 600s, where an invitation does not say"`
	MaxCallees   int           `split_words:"true" default:"50" desc:"callees of a call, all in all"`
	MaxDuration  time.Duration `split_words:"true" default:"12h" desc:"the longest call"`
	CallsMaxAge  time.Duration `split_words:"true" default:"24h" desc:"how long a call is kept after its last transition"`
	TimersMaxAge time.Duration `split_words:"true" default:"24h" desc:"how long a deadline is kept"`
	LinesTTL     time.Duration `split_words:"true" default:"18h" desc:"how long a user's line is kept"`
	EventsMaxAge time.Duration `split_words:"true" default:"720h" desc:"how long the event log is kept"`
	Parallel     int           `split_words:"true" default:"64" desc:"commands in hand at once"`
	APITimeout   time.Duration `split_words:"true" default:"8s" desc:"how long the api waits for an answer"`
}

// readSettings reads and checks the environment.
func readSettings() (settings, error) {
	var s settings
	names := settingNames()
	if err := misspelt(names); err != nil {
		return s, err
	}
	for _, name := range names {
		if v, ok := os.LookupEnv(name); ok && strings.TrimSpace(v) == "" {
			return s, fmt.Errorf("%s is empty: give it a value or unset it", name)
		}
	}
	if err := envconfig.Process(settingsPrefix, &s); err != nil {
		return s, unreadable(err)
	}
	return s, s.check()
}

// misspelt finds a variable with our prefix that is none of ours.
func misspelt(names []string) error {
	err := envconfig.CheckDisallowed(settingsPrefix, &settings{})
	if err == nil {
		return nil
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, settingsPrefix+"_") || slices.Contains(names, name) {
			continue
		}
		if near, ok := nearest(name, names); ok {
			return fmt.Errorf("%s is no setting; did you mean %s?", name, near)
		}
		return fmt.Errorf("%s is no setting; there are: %s", name, strings.Join(names, ", "))
	}
	return err
}

// unreadable says what a value should look like.
func unreadable(err error) error {
	var p *envconfig.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf("read settings: %w", err)
	}
	want := "a whole number"
	if p.TypeName == "time.Duration" {
		want = "a duration such as 90s, 15m or 12h"
	}
	return fmt.Errorf("%s must be %s, got %q", p.KeyName, want, p.Value)
}

func (s settings) check() error {
	if _, err := s.level(); err != nil {
		return err
	}
	least, most := events.MinRingTimeoutS*time.Second, events.MaxRingTimeoutS*time.Second
	switch {
	case s.RingTimeout < least, s.RingTimeout > most, s.RingTimeout%time.Second != 0:
		return fmt.Errorf("RINGLINE_RING_TIMEOUT must be whole seconds from %v to %gs, got %v", least, most.Seconds(), s.RingTimeout)
	case s.MaxCallees < 1, s.MaxCallees > events.MaxCallees:
		return fmt.Errorf("RINGLINE_MAX_CALLEES must be from 1 to %d, got %d", events.MaxCallees, s.MaxCallees)
	case s.MaxDuration < time.Second:
		return fmt.Errorf("RINGLINE_MAX_DURATION must be at least 1s, got %v", s.MaxDuration)
	case s.EventsMaxAge < time.Second:
		return fmt.Errorf("RINGLINE_EVENTS_MAX_AGE must be at least 1s, got %v", s.EventsMaxAge)
	case s.Parallel < 1:
		return fmt.Errorf("RINGLINE_PARALLEL must be at least 1, got %d", s.Parallel)
	case s.APITimeout <= 0:
		return fmt.Errorf("RINGLINE_API_TIMEOUT must be above 0, got %v", s.APITimeout)
	case !validInboxPrefix(s.InboxPrefix):
		return fmt.Errorf("RINGLINE_INBOX_PREFIX must be a subject without wildcards such as _INBOX, got %q", s.InboxPrefix)
	}
	if err := events.CheckToken("RINGLINE_APP", s.App); err != nil {
		return errors.New(err.Message)
	}
	if err := s.streams().Check(s.MaxDuration); err != nil {
		return fmt.Errorf("settings RINGLINE_MAX_DURATION, LINES_TTL, CALLS_MAX_AGE, TIMERS_MAX_AGE: %w", err)
	}
	return nil
}

func validInboxPrefix(prefix string) bool {
	for token := range strings.SplitSeq(prefix, ".") {
		if events.CheckToken("", token) != nil {
			return false
		}
	}
	return true
}

func (s settings) level() (zerolog.Level, error) {
	switch s.LogLevel {
	case "debug", "info", "warn", "error":
		return zerolog.ParseLevel(s.LogLevel)
	}
	return zerolog.NoLevel, fmt.Errorf("RINGLINE_LOG_LEVEL must be debug, info, warn or error, got %q", s.LogLevel)
}

func (s settings) limits() call.Limits {
	l := call.DefaultLimits()
	l.RingTimeout, l.MaxCallees, l.MaxDuration = s.RingTimeout, s.MaxCallees, s.MaxDuration
	return l
}

// streams gives the settings of the streams of one node.
func (s settings) streams() worker.Settings {
	w := worker.DefaultSettings()
	w.CallsMaxAge, w.TimersMaxAge, w.LinesTTL, w.EventsMaxAge = s.CallsMaxAge, s.TimersMaxAge, s.LinesTTL, s.EventsMaxAge
	return w
}

// settingNames lists the variables that are read.
func settingNames() []string {
	return strings.Fields(eachSetting("{{range .}}{{usage_key .}} {{end}}"))
}

// settingsHelp lists the variables for people.
func settingsHelp() string {
	return "Settings come from the environment:\n" + strings.TrimRight(eachSetting(
		"{{range .}}  {{usage_key .}}\t{{usage_default .}}\t{{usage_description .}}\n{{end}}"), "\n")
}

func eachSetting(format string) string {
	var b strings.Builder
	tabs := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if err := envconfig.Usagef(settingsPrefix, &settings{}, tabs, format); err != nil {
		return err.Error() // the format or the struct is wrong: every test shows it
	}
	_ = tabs.Flush() // a strings.Builder takes everything
	return b.String()
}
