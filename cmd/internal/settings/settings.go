package settings

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/streams"
)

const prefix = "RINGLINE"

// Settings are the environment variables RINGLINE_<NAME>. Use split_words only: a tag envconfig:"PORT" would also read
// a variable PORT without the prefix. The help, `ringline config` and the checks all read these tags: unit is the kind
// of value, secret the part that is never shown.
type Settings struct {
	NatsURL       string        `split_words:"true" default:"nats://127.0.0.1:4222" unit:"URLs" secret:"userinfo" desc:"the NATS servers, comma-separated, for all commands except dev"`
	App           string        `split_words:"true" default:"demo" unit:"name" desc:"the app of verbs and watch"`
	NatsCreds     string        `split_words:"true" unit:"file" desc:"credentials for NATS: a user JWT and its seed"`
	NatsNkey      string        `split_words:"true" unit:"file" desc:"credentials for NATS: an nkey seed"`
	NatsTLS       NATSTLS       `split_words:"true"`
	InboxPrefix   string        `split_words:"true" default:"_INBOX" unit:"subject" desc:"replies are received only below this subject"`
	HTTP          string        `split_words:"true" unit:"address" desc:"address of /livez, /readyz, /metrics and client sessions, or off (default of dev 127.0.0.1:8080, coordinator :8081, timeouts :8082, edge :8083)"`
	Pprof         bool          `split_words:"true" default:"false" unit:"true or false" desc:"also serve profiles on /debug/pprof/ at that address"`
	LogLevel      string        `split_words:"true" default:"info" unit:"word" desc:"debug, info, warn or error"`
	RingTimeout   time.Duration `split_words:"true" default:"60s" unit:"duration" desc:"default ring timeout, 1s to 600s"`
	MaxCallees    int           `split_words:"true" default:"50" unit:"number" desc:"callees of a call in total"`
	MaxDuration   time.Duration `split_words:"true" default:"12h" unit:"duration" desc:"the longest call"`
	Replicas      int           `split_words:"true" default:"1" unit:"number" desc:"replicas of every stream and bucket: 1, 3 or 5"`
	CallsMaxAge   time.Duration `split_words:"true" default:"24h" unit:"duration" desc:"how long a call is kept after its last transition"`
	CallsMaxBytes ByteSize      `split_words:"true" default:"16GiB" unit:"bytes" desc:"limit of RINGLINE_CALLS; invitations are refused from 80 % of it"`
	TimersMaxAge  time.Duration `split_words:"true" default:"24h" unit:"duration" desc:"how long a deadline is kept"`
	LinesTTL      time.Duration `split_words:"true" default:"18h" unit:"duration" desc:"how long a user's line is kept"`
	EventsMaxAge  time.Duration `split_words:"true" default:"720h" unit:"duration" desc:"how long the event log is kept"`
	Parallel      int           `split_words:"true" default:"64" unit:"number" desc:"commands in flight in each coordinator"`
	APITimeout    time.Duration `split_words:"true" default:"8s" unit:"duration" desc:"how long the api waits for an answer"`
	SweepEvery    time.Duration `split_words:"true" default:"60s" unit:"duration" desc:"how often each timeouts worker looks for deadlines that NATS missed"`
	SweepOverdue  time.Duration `split_words:"true" default:"5s" unit:"duration" desc:"how late a deadline is before it counts as missed"`
	Edge          Edge          `split_words:"true"`

	CommandsMaxBytes ByteSize `split_words:"true" default:"1GiB" unit:"bytes" desc:"limit of RINGLINE_COMMANDS, beyond which commands are refused"`
	TimersMaxBytes   ByteSize `split_words:"true" default:"2GiB" unit:"bytes" desc:"limit of RINGLINE_TIMERS; invitations are refused from 80 % of it"`
	LinesMaxBytes    ByteSize `split_words:"true" default:"1GiB" unit:"bytes" desc:"limit of RINGLINE_LINES; invitations are refused from 80 % of it"`
	AppsMaxBytes     ByteSize `split_words:"true" default:"64MiB" unit:"bytes" desc:"limit of RINGLINE_APPS, beyond which settings of apps are refused"`
	EventsMaxBytes   ByteSize `split_words:"true" default:"8GiB" unit:"bytes" desc:"limit of RINGLINE_EVENTS, beyond which the oldest events are deleted"`
	CdrsMaxBytes     ByteSize `split_words:"true" default:"1GiB" unit:"bytes" desc:"limit of RINGLINE_CDRS, beyond which the oldest records are deleted"`
	RejectedMaxBytes ByteSize `split_words:"true" default:"1GiB" unit:"bytes" desc:"limit of RINGLINE_REJECTED, beyond which the oldest are deleted"`
	SessionsMaxBytes ByteSize `split_words:"true" default:"1GiB" unit:"bytes" desc:"limit of RINGLINE_SESSIONS, beyond which the oldest are deleted"`
}

// NATSTLS are the files for TLS to NATS.
type NATSTLS struct {
	CA   string `split_words:"true" unit:"file" desc:"CA certificates for the NATS servers"`
	Cert string `split_words:"true" unit:"file" desc:"client certificate for NATS"`
	Key  string `split_words:"true" unit:"file" desc:"its key"`
}

// Problem is an error in the settings with these names.
type Problem struct {
	Names []string
	Text  string
}

// Read reads and checks the environment. It returns the first problem only.
func Read() (Settings, error) {
	s, problems := Load()
	if len(problems) > 0 {
		return s, errors.New(problems[0].Text)
	}
	return s, nil
}

// Load reads the environment and returns all problems.
func Load() (Settings, []Problem) {
	problems := misspelt()
	for _, x := range List() {
		if v, ok := os.LookupEnv(x.Name); ok && strings.TrimSpace(v) == "" {
			problems = append(problems, Problem{[]string{x.Name}, x.Name + " is empty: set a value or unset it"})
		}
	}
	s, unreadable := parseSettings()
	for _, p := range slices.Concat(unreadable, s.problems()) {
		if !slices.ContainsFunc(problems, func(old Problem) bool {
			return slices.ContainsFunc(p.Names, func(name string) bool { return slices.Contains(old.Names, name) })
		}) {
			problems = append(problems, p)
		}
	}
	return s, problems
}

// parseSettings parses field by field, because envconfig stops at the first error.
func parseSettings() (s Settings, problems []Problem) {
	all := reflect.ValueOf(&s).Elem()
	for i := range all.NumField() {
		one := reflect.New(reflect.StructOf([]reflect.StructField{all.Type().Field(i)}))
		if err := envconfig.Process(prefix, one.Interface()); err != nil {
			problems = append(problems, unreadable(err))
			continue
		}
		all.Field(i).Set(one.Elem().Field(0))
	}
	return s, problems
}

// misspelt finds variables with our prefix that are not settings.
func misspelt() (problems []Problem) {
	var names []string
	for _, x := range List() {
		names = append(names, x.Name)
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, prefix+"_") || slices.Contains(names, name) {
			continue
		}
		text := fmt.Sprintf("%s is not a setting; the settings are: %s", name, strings.Join(names, ", "))
		if near, ok := cli.Nearest(name, names); ok {
			text = fmt.Sprintf("%s is not a setting; did you mean %s?", name, near)
		}
		problems = append(problems, Problem{[]string{name}, text})
	}
	return problems
}

// unreadable describes the expected form of a value.
func unreadable(err error) Problem {
	var p *envconfig.ParseError
	if !errors.As(err, &p) {
		return Problem{nil, fmt.Sprintf("read settings: %v", err)}
	}
	want := "an integer"
	switch p.TypeName {
	case reflect.TypeFor[bool]().String():
		want = "true or false"
	case reflect.TypeFor[float64]().String():
		want = "a number such as 20 or 0.5"
	case reflect.TypeFor[time.Duration]().String():
		want = "a duration such as 90s, 15m or 12h"
	case reflect.TypeFor[ByteSize]().String():
		want = "a size such as 16GiB, 512MiB or 1000000"
	}
	return Problem{[]string{p.KeyName}, fmt.Sprintf("%s must be %s, got %q", p.KeyName, want, p.Value)}
}

// problems returns the values that parse but are out of range or contradict each other.
func (s Settings) problems() (list []Problem) {
	refuse := func(when bool, name, format string, args ...any) {
		if when {
			list = append(list, Problem{[]string{name}, name + " " + fmt.Sprintf(format, args...)})
		}
	}
	_, err := s.level()
	least, most := events.MinRingTimeoutS*time.Second, events.MaxRingTimeoutS*time.Second
	refuse(err != nil, "RINGLINE_LOG_LEVEL", "must be debug, info, warn or error, got %q", s.LogLevel)
	refuse(s.RingTimeout < least || s.RingTimeout > most || s.RingTimeout%time.Second != 0, "RINGLINE_RING_TIMEOUT",
		"must be whole seconds from %v to %gs, got %v", least, most.Seconds(), s.RingTimeout)
	refuse(s.MaxCallees < 1 || s.MaxCallees > events.MaxCallees, "RINGLINE_MAX_CALLEES",
		"must be from 1 to %d, got %d", events.MaxCallees, s.MaxCallees)
	refuse(s.MaxDuration < time.Second, "RINGLINE_MAX_DURATION", "must be at least 1s, got %v", s.MaxDuration)
	refuse(s.EventsMaxAge < time.Second, "RINGLINE_EVENTS_MAX_AGE", "must be at least 1s, got %v", s.EventsMaxAge)
	for _, x := range s.maxBytes() {
		refuse(x.bytes < leastBytes, x.name, "must be at least %v, got %v", leastBytes, x.bytes)
	}
	refuse(!slices.Contains([]int{1, 3, 5}, s.Replicas), "RINGLINE_REPLICAS", "must be 1, 3 or 5, got %d", s.Replicas)
	refuse(s.Parallel < 1, "RINGLINE_PARALLEL", "must be at least 1, got %d", s.Parallel)
	refuse(s.APITimeout <= 0, "RINGLINE_API_TIMEOUT", "must be above 0, got %v", s.APITimeout)
	refuse(s.SweepEvery < leastSweep, "RINGLINE_SWEEP_EVERY", "must be at least %v, got %v", leastSweep, s.SweepEvery)
	refuse(s.SweepOverdue < leastSweep, "RINGLINE_SWEEP_OVERDUE", "must be at least %v, got %v", leastSweep, s.SweepOverdue)
	refuse(!validInboxPrefix(s.InboxPrefix), "RINGLINE_INBOX_PREFIX",
		"must be a subject without wildcards such as _INBOX, got %q", s.InboxPrefix)
	if err := CheckURLs("RINGLINE_NATS_URL", s.NatsURL); err != nil {
		list = append(list, Problem{[]string{"RINGLINE_NATS_URL"}, err.Error()})
	}
	if s.HTTP != "" {
		refuse(!validHTTP(s.HTTP), "RINGLINE_HTTP", wantedHTTP, s.HTTP)
		if s.HTTP == HTTPOff && s.Pprof {
			list = append(list, Problem{
				[]string{"RINGLINE_PPROF", "RINGLINE_HTTP"}, "RINGLINE_PPROF is true, but RINGLINE_HTTP is off: profiles need it",
			})
		}
	}
	if err := events.CheckToken("RINGLINE_APP", s.App); err != nil {
		list = append(list, Problem{[]string{"RINGLINE_APP"}, events.Message(err)})
	}
	_, bad := s.Credentials()
	list = slices.Concat(list, bad, s.Edge.problems())
	ages := s.Streams()
	ages.Replicas, ages.MaxBytes = 1, streams.DefaultSizes() // those were checked above
	if err := ages.Check(s.MaxDuration); err != nil {
		list = append(list, Problem{
			[]string{"RINGLINE_MAX_DURATION", "RINGLINE_LINES_TTL", "RINGLINE_CALLS_MAX_AGE", "RINGLINE_TIMERS_MAX_AGE"},
			fmt.Sprintf("settings RINGLINE_MAX_DURATION, LINES_TTL, CALLS_MAX_AGE, TIMERS_MAX_AGE: %v", err),
		})
	}
	return list
}

func validInboxPrefix(prefix string) bool {
	for token := range strings.SplitSeq(prefix, ".") {
		if events.CheckToken("", token) != nil {
			return false
		}
	}
	return true
}

func (s Settings) level() (zerolog.Level, error) {
	switch s.LogLevel {
	case "debug", "info", "warn", "error":
		return zerolog.ParseLevel(s.LogLevel)
	}
	return zerolog.NoLevel, fmt.Errorf("RINGLINE_LOG_LEVEL must be debug, info, warn or error, got %q", s.LogLevel)
}

// leastSweep prevents a sweep that reads all deadlines continuously, or that counts a deadline as missed when it is
// only late.
const leastSweep = time.Second

// Streams returns the settings of the streams.
func (s Settings) Streams() streams.Settings {
	w := streams.DefaultSettings()
	w.Replicas, w.MaxBytes = s.Replicas, s.Sizes()
	w.CallsMaxAge, w.TimersMaxAge, w.LinesTTL, w.EventsMaxAge = s.CallsMaxAge, s.TimersMaxAge, s.LinesTTL, s.EventsMaxAge
	return w
}

// Sizes returns the byte limits of the streams.
func (s Settings) Sizes() streams.Sizes {
	return streams.Sizes{
		Commands: int64(s.CommandsMaxBytes), Calls: int64(s.CallsMaxBytes), Timers: int64(s.TimersMaxBytes),
		Lines: int64(s.LinesMaxBytes), Apps: int64(s.AppsMaxBytes), Events: int64(s.EventsMaxBytes), CDRs: int64(s.CdrsMaxBytes),
		Rejected: int64(s.RejectedMaxBytes), Sessions: int64(s.SessionsMaxBytes),
	}
}

// CheckTimers returns an error if the stream RINGLINE_TIMERS may reach its limit. Only a command that creates streams
// needs the check: workers run with the existing limits.
func (s Settings) CheckTimers() error {
	if least := s.CallsMaxBytes / streams.CallsPerTimers; s.TimersMaxBytes < least {
		return fmt.Errorf("RINGLINE_TIMERS_MAX_BYTES must be at least 1/%d of RINGLINE_CALLS_MAX_BYTES, %v, got %v", streams.CallsPerTimers, least, s.TimersMaxBytes)
	}
	return nil
}

// maxBytes returns the byte limits with the names of their settings.
func (s Settings) maxBytes() []namedBytes {
	return []namedBytes{
		{"RINGLINE_COMMANDS_MAX_BYTES", s.CommandsMaxBytes},
		{"RINGLINE_CALLS_MAX_BYTES", s.CallsMaxBytes},
		{"RINGLINE_TIMERS_MAX_BYTES", s.TimersMaxBytes},
		{"RINGLINE_LINES_MAX_BYTES", s.LinesMaxBytes},
		{"RINGLINE_APPS_MAX_BYTES", s.AppsMaxBytes},
		{"RINGLINE_EVENTS_MAX_BYTES", s.EventsMaxBytes},
		{"RINGLINE_CDRS_MAX_BYTES", s.CdrsMaxBytes},
		{"RINGLINE_REJECTED_MAX_BYTES", s.RejectedMaxBytes},
		{"RINGLINE_SESSIONS_MAX_BYTES", s.SessionsMaxBytes},
	}
}

// Error texts for addresses.
const (
	wantedURLs = "must be URLs such as nats://host:4222 (or tls, ws, wss), with commas between them"
	wantedHTTP = "must be host:port such as 127.0.0.1:8081, or off, got %q"
)

// validHTTP reports whether addr is off or a valid listen address.
func validHTTP(addr string) bool {
	if addr == HTTPOff {
		return true
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// CheckURLs returns an error that begins with name if the list does not consist of NATS URLs.
func CheckURLs(name, list string) error {
	if !validURLs(list) {
		return errors.New(name + " " + wantedURLs)
	}
	return nil
}

// validURLs reports whether the list consists of NATS URLs. It returns no reason, because the reason would quote the
// password.
func validURLs(list string) bool {
	for s := range strings.SplitSeq(list, ",") {
		s = strings.TrimSpace(s)
		if !strings.Contains(s, "://") {
			s = "nats://" + s
		}
		u, err := url.Parse(s)
		if err != nil || u.Hostname() == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return false
		}
	}
	return true
}

// Setting is one environment variable.
type Setting struct {
	Name, Default, Unit, Desc string
	Secret                    bool
}

// List lists the variables from the tags of their fields.
func List() (list []Setting) {
	var b strings.Builder
	const format = `{{range .}}{{.Key}}|{{.Tags.Get "default"}}|{{.Tags.Get "unit"}}|{{.Tags.Get "secret"}}|{{.Tags.Get "desc"}}{{"\n"}}{{end}}`
	if err := envconfig.Usagef(prefix, &Settings{}, &b, format); err != nil {
		return []Setting{{Name: err.Error()}} // the format or the struct is wrong, which every test of the settings shows
	}
	for line := range strings.Lines(b.String()) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 5)
		list = append(list, Setting{Name: f[0], Default: f[1], Unit: f[2], Secret: f[3] != "", Desc: f[4]})
	}
	return list
}

// Help lists the variables for humans.
func Help() string {
	var b strings.Builder
	tabs := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, x := range List() {
		_, _ = fmt.Fprintf(tabs, "  %s\t%s\t%s\n", x.Name, x.Default, x.Desc)
	}
	_ = tabs.Flush() // a strings.Builder never fails
	return "Settings come from the environment (`ringline config` shows their values):\n" + strings.TrimRight(b.String(), "\n")
}

// HTTPOff instead of an address disables HTTP.
const HTTPOff = "off"

// The address on which the embedded NATS server of `ringline dev` listens by default.
const (
	DevNATSHost = "127.0.0.1"
	DevNATSPort = 4222
)
