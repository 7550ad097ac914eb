package idle

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/tests/faults/play"
)

// Process is the process under measurement.
type Process interface {
	Memory() int64            // resident memory in bytes
	Processor() time.Duration // CPU time used so far
}

// Config configures the number of sessions and the durations.
type Config struct {
	NC        *nats.Conn
	Server    string // host:port
	Process   Process
	Token     func(user string) (string, error)
	Few, Many int
	Idle      time.Duration
	Pushes    int
	Seed      uint64
	Say       func(format string, args ...any)
}

// Level is the measurement with one number of sessions.
type Level struct {
	Sessions      int
	Memory        Memory
	Processor     float64 // share of one core while idle
	Pushed, Plain Times   // to a session, and to a plain subscriber on NATS
}

// Outcome holds both levels.
type Outcome struct{ Few, Many Level }

// Each returns the cost of one session.
func (o Outcome) Each() Memory {
	return o.Many.Memory.minus(o.Few.Memory).Each(o.Many.Sessions - o.Few.Sessions)
}

// Run measures one process, with few sessions and with many.
func Run(ctx context.Context, cfg Config) (Outcome, error) {
	levels, err := Levels(ctx, cfg, cfg.Few, cfg.Many)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Few: levels[0], Many: levels[1]}, nil
}

// Levels measures one process with each of these numbers of sessions, in ascending order. On an error it also
// returns the levels measured before.
func Levels(ctx context.Context, cfg Config, counts ...int) (levels []Level, err error) {
	s := &sessions{server: cfg.Server, token: cfg.Token, came: map[string]chan time.Time{}, lost: map[string]int{}}
	defer s.close()
	for _, n := range counts {
		l, err := cfg.level(ctx, s, n)
		if err != nil {
			return levels, err
		}
		levels = append(levels, l)
	}
	return levels, nil
}

// settles is the wait after many sessions connected, before the measurement.
const settles = 5 * time.Second

func (cfg Config) level(ctx context.Context, s *sessions, n int) (l Level, err error) {
	begun := time.Now()
	if err := s.grow(ctx, n); err != nil {
		return l, err
	}
	cfg.Say("%d sessions are open, after %v", n, time.Since(begun).Round(100*time.Millisecond))
	play.Sleep(ctx, settles)
	l.Sessions = n
	used, begun := cfg.Process.Processor(), time.Now()
	play.Sleep(ctx, cfg.Idle)
	l.Processor = (cfg.Process.Processor() - used).Seconds() / time.Since(begun).Seconds()
	rnd := rand.New(rand.NewPCG(cfg.Seed, uint64(n))) //nolint:gosec // n is small
	if l.Pushed, l.Plain, err = s.pushes(ctx, cfg.NC, cfg.Pushes, func() int { return rnd.IntN(n) }); err != nil {
		return l, err
	}
	if l.Memory, err = heap(ctx, cfg.Server); err != nil {
		return l, err
	}
	l.Memory.RSS = cfg.Process.Memory()
	if err := s.ended(); err != nil {
		return l, err
	}
	cfg.Say("%d sessions: %v; idle %.1f %% of a core; push %v (bare NATS %v)", n, l.Memory, 100*l.Processor, l.Pushed, l.Plain)
	return l, nil
}
