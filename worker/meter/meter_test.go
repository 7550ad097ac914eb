package meter_test

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/meter/metertest"
)

// exercise counts everything that can be counted once.
func exercise(m *meter.Meter) {
	commands := m.Commands()
	for _, v := range append(events.Verbs(), "shout", "") {
		commands.OK(v, time.Millisecond)
		commands.Rejected(v, time.Millisecond)
		for _, c := range append(events.Codes(), "made_up") {
			commands.Refused(v, c, time.Millisecond)
		}
	}
	for _, s := range append(meter.Steps(), meter.StepConflicted) {
		commands.Step(s, time.Millisecond)
	}
	for _, name := range []string{"coordinators", "timeouts"} {
		c := m.Consumer(name)
		c.Delivered(1)
		c.Delivered(2)
		for _, r := range append(meter.Reasons(), "made up") {
			c.Nak(r)
		}
		m.Backlog(name, func() (meter.Backlog, bool) { return meter.Backlog{Waiting: 2, Unacknowledged: 3}, true })
	}
	m.Health(health.New(time.Now))
	for _, p := range append(meter.Parts(), "made up") {
		m.SetUp(p, meter.Missing)
	}
	for _, p := range meter.Places() {
		m.Malformed(p).Inc()
	}
	m.Takeovers().Inc()
	m.Overdue().Inc()
	p := m.Presence()
	p.Dropped(false)
	p.Dropped(true)
	p.State(3, true)
	m.Stalls().Inc()
	m.Levels(exerciseLevels)
	m.Oldest(func() (time.Duration, bool) { return time.Second, true })
	requests := m.Requests()
	for _, method := range append([]string{"get", "line", "list", "present", "made up"}, texts(events.Verbs())...) {
		for _, o := range append([]string{"ok", "stalled", "late", "no_reply", "made up"}, texts(events.Codes())...) {
			requests.Done(method, o)
		}
	}
	for _, by := range meter.Publishers() {
		p := m.Publishes(by)
		p.Failed(nil)
		p.Failed(nats.ErrTimeout)
		p.Failed(fmt.Errorf("wrapped: %w", &jetstream.APIError{}))
	}
	m.Lateness().Took(time.Second)
	m.Skew(func() (time.Duration, bool) { return time.Second, true })
	exerciseSessions(m.Sessions())
	for _, c := range meter.Components() {
		log := m.Log(zerolog.New(io.Discard), c)
		log.Error().Msg("an error")
	}
}

func texts[T ~string](words []T) (list []string) {
	for _, w := range words {
		list = append(list, string(w))
	}
	return list
}

// exerciseLevels returns a level for each declared stream.
func exerciseLevels() meter.Levels {
	missing := uint64(3)
	l := meter.Levels{Account: &meter.AccountLevel{Used: 1, Limit: 2}, Lost: map[string]uint64{}, Missing: &missing}
	for _, d := range meter.Metrics() {
		for _, label := range d.Labels {
			for _, stream := range label.Values {
				switch d.Name {
				case "ringline_stream_bytes":
					l.Streams = append(l.Streams, meter.StreamLevel{Stream: stream, Bytes: 1, Messages: 2, Limit: 3})
				case "ringline_events_lost_messages":
					l.Lost[stream] = 1
				}
			}
		}
	}
	return l
}

func exerciseSessions(s *meter.Sessions) {
	for _, t := range []string{"websocket", "http_stream", "sse", "pigeon"} {
		s.Opened(t)
		s.Ended(t, 3000)
	}
	for code := 3000; code < 3600; code++ {
		s.Ended("websocket", code)
	}
	for _, r := range append(meter.Refusals(), "made up") {
		s.Refused(r)
	}
	s.Pushed()
	s.Renewed()
	s.Lost()
	s.Answered(time.Millisecond)
}

// TestNaming checks that the exported metrics are the declared ones, and follow the naming rules of Prometheus and
// Ringline.
func TestNaming(t *testing.T) {
	m := meter.New("v1")
	exercise(m)
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "ringline_") { // those of Go have other rules
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	declared := map[string]meter.Metric{}
	for _, d := range meter.Metrics() {
		declared[d.Name] = d
		checkDeclaration(t, d)
	}
	var shown []string
	for _, f := range families {
		if own := regexp.MustCompile(`^(go|process)_`); own.MatchString(f.GetName()) {
			continue
		}
		shown = append(shown, f.GetName())
		d := declared[f.GetName()]
		if f.GetHelp() != d.Help || !strings.EqualFold(f.GetType().String(), string(d.Kind)) {
			t.Errorf("%s is a %v: %q", f.GetName(), f.GetType(), f.GetHelp())
		}
		seen := map[string]map[string]bool{}
		for _, x := range f.GetMetric() {
			for _, l := range x.GetLabel() {
				if seen[l.GetName()] == nil {
					seen[l.GetName()] = map[string]bool{}
				}
				seen[l.GetName()][l.GetValue()] = true
			}
		}
		checkLabels(t, d, seen)
	}
	if want := slices.Sorted(maps.Keys(declared)); !slices.Equal(shown, want) {
		t.Errorf("there are\n%q, want\n%q", shown, want)
	}
}

func checkDeclaration(t *testing.T, d meter.Metric) {
	t.Helper()
	word := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	if !word.MatchString(d.Name) || !strings.HasPrefix(d.Name, "ringline_") {
		t.Errorf("the name %q", d.Name)
	}
	if total := strings.HasSuffix(d.Name, "_total"); total != (d.Kind == meter.Counter) {
		t.Errorf("%s is a %s", d.Name, d.Kind)
	}
	if seconds := strings.HasSuffix(d.Name, "_seconds"); seconds != (d.Unit == "seconds") || (d.Kind == meter.Histogram) != (len(d.Buckets) > 0) {
		t.Errorf("%s is a %s with the buckets %v", d.Name, d.Kind, d.Buckets)
	}
	if d.Unit == "" || d.Of == "" || !strings.HasSuffix(d.Help, ".") || strings.ContainsAny(d.Help, "|\n") || !slices.IsSorted(d.Buckets) {
		t.Errorf("%s is declared badly: %+v", d.Name, d)
	}
	allowed := []string{"verb", "outcome", "step", "consumer", "reason", "where", "component", "version", "transport", "end", "refusal", "condition", "part", "problem", "method", "role", "failure", "phase", "reply", "stream"}
	for _, l := range d.Labels {
		if !slices.Contains(allowed, l.Name) {
			t.Errorf("%s has a label %s", d.Name, l.Name)
		}
		for _, v := range l.Values {
			if !word.MatchString(v) && l.Name != "part" && l.Name != "stream" {
				t.Errorf("%s: %s may be %q", d.Name, l.Name, v)
			}
		}
	}
}

// checkLabels checks that each label has all of its declared values, and no other.
func checkLabels(t *testing.T, d meter.Metric, seen map[string]map[string]bool) {
	t.Helper()
	if len(seen) != len(d.Labels) {
		t.Errorf("%s has the labels %v, want %v", d.Name, seen, d.Labels)
	}
	for _, l := range d.Labels {
		want := slices.Sorted(slices.Values(l.Values))
		if l.Name == "version" {
			want = []string{"v1"}
		}
		if got := slices.Sorted(maps.Keys(seen[l.Name])); !slices.Equal(got, want) {
			t.Errorf("%s: %s is\n%q, want\n%q", d.Name, l.Name, got, want)
		}
	}
}

// TestUnknownLabelValues checks that an unknown value is counted under a known one.
func TestUnknownLabelValues(t *testing.T) {
	m := meter.New("v1")
	c := m.Commands()
	c.OK("shout", 0)
	c.Refused(events.VerbRing, "made_up", 0)
	c.Rejected("", 0)
	m.Consumer("timeouts").Nak("")
	metertest.Check(t, m, map[string]float64{
		`ringline_commands_total{outcome="ok",verb="unknown"}`:       1,
		`ringline_commands_total{outcome="internal",verb="ring"}`:    1,
		`ringline_commands_total{outcome="rejected",verb="unknown"}`: 1,
		`ringline_rejected_total{verb="unknown"}`:                    1,
		`ringline_command_seconds_count{verb="unknown"}`:             2,
		`ringline_command_seconds_count{verb="ring"}`:                1,
		`ringline_naks_total{consumer="timeouts",reason="defect"}`:   1,
		`ringline_build_info{version="v1"}`:                          1,
	})
}

// TestNoMeter checks that a nil meter counts nothing and does not panic.
func TestNoMeter(*testing.T) { exercise(nil) }

// TestClockDifferences checks that a negative duration counts as 0.
func TestClockDifferences(t *testing.T) {
	m := meter.New("v1")
	m.Commands().OK(events.VerbRing, -time.Second)
	m.Lateness().Took(-time.Second)
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	count := uint64(0)
	for _, f := range families {
		for _, x := range f.GetMetric() {
			if h := x.GetHistogram(); h.GetSampleCount() > 0 && strings.HasPrefix(f.GetName(), "ringline_") {
				count += h.GetSampleCount()
				if h.GetSampleSum() != 0 {
					t.Errorf("%s sums up to %v", f.GetName(), h.GetSampleSum())
				}
			}
		}
	}
	if count != 2 {
		t.Errorf("%d were counted", count)
	}
}

// TestErrorsAreCounted checks that log lines at level error are counted, and no others. Lines of a derived logger count
// too.
func TestErrorsAreCounted(t *testing.T) {
	m := meter.New("v1")
	var b strings.Builder
	log := m.Log(zerolog.New(&b).Level(zerolog.WarnLevel), meter.API)
	log.Debug().Msg("x")
	log.Warn().Msg("x")
	log.Log().Msg("x")
	log.Error().Msg("x")
	sub := log.With().Str("more", "y").Logger()
	sub.WithLevel(zerolog.ErrorLevel).Msg("x")
	metertest.Check(t, m, map[string]float64{`ringline_errors_total{component="api"}`: 2}, "ringline_errors_total")
	if n := strings.Count(b.String(), `"component":"api"`); n != 4 {
		t.Errorf("%d lines\n%s", n, b.String())
	}
}

// TestUnknownBacklog checks that an unknown backlog has no gauges, and that all other metrics are there.
func TestUnknownBacklog(t *testing.T) {
	m := meter.New("v1")
	known := true
	m.Backlog("timeouts", func() (meter.Backlog, bool) { return meter.Backlog{Waiting: 7, Unacknowledged: 1}, known })
	there := map[string]float64{
		`ringline_backlog_messages{consumer="timeouts"}`:       7,
		`ringline_backlog_unacknowledged{consumer="timeouts"}`: 1,
		`ringline_build_info{version="v1"}`:                    1,
	}
	metertest.Check(t, m, there)
	known = false
	metertest.Check(t, m, map[string]float64{`ringline_build_info{version="v1"}`: 1})
}

// TestCountingAllocatesNothing checks that counting a command does not allocate.
func TestCountingAllocatesNothing(t *testing.T) {
	m := meter.New("v1")
	c, consumer := m.Commands(), m.Consumer("coordinators")
	if n := testing.AllocsPerRun(100, func() {
		consumer.Delivered(2)
		c.Step(meter.StepLoaded, time.Millisecond)
		c.OK(events.VerbInvite, time.Millisecond)
		c.Refused(events.VerbAccept, events.CodeNotPending, time.Millisecond)
		consumer.Nak(meter.NoCallYet)
	}); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func BenchmarkCommand(b *testing.B) {
	c := meter.New("v1").Commands()
	for b.Loop() {
		for _, s := range meter.Steps() {
			c.Step(s, time.Millisecond)
		}
		c.OK(events.VerbInvite, time.Millisecond)
	}
}

// Each scrape exports the current health of the process.
func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, h := meter.New("v1"), health.New(time.Now)
		m.Health(h)
		names := []string{"ringline_ready", "ringline_not_ready", "ringline_degraded"}
		api, full := h.Needs(health.API, health.Hold), h.Degrades(health.Storage)
		metertest.Check(t, m, map[string]float64{`ringline_not_ready{condition="api"}`: 1}, names...)
		h.Running("starting")
		api.OK()
		full.Fail("full")
		metertest.Check(t, m, map[string]float64{"ringline_ready": 1}, names...)
		time.Sleep(health.Hold)
		metertest.Check(t, m, map[string]float64{"ringline_ready": 1, `ringline_degraded{condition="storage"}`: 1}, names...)
	})
}
