package play

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// Stage plays calls at a given rate.
type Stage struct {
	Clients []*Client
	Apps    []string
	Users   int     // of each app
	Rate    float64 // calls begun per second
	Seed    uint64
	Only    []string // scenes to play; none: all
	RingS   int      // maximum ring time of most calls, in seconds
	Most    int      // maximum number of concurrent calls; calls above it are skipped

	begun, skipped atomic.Int64
}

// Begun returns the number of calls begun, and of calls skipped because of Most.
func (s *Stage) Begun() (begun, skipped int64) { return s.begun.Load(), s.skipped.Load() }

// Play begins calls until ctx ends. It returns when all of them are played, or their time limit has passed.
func (s *Stage) Play(ctx context.Context) {
	playing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(tries*apiPatience, stop) })()
	var wg sync.WaitGroup
	defer wg.Wait()
	rng := rand.New(rand.NewPCG(s.Seed, 1)) //nolint:gosec // the same seed plays the same calls
	room := make(chan struct{}, s.Most)
	next := time.Now()
	for i := 0; ; i++ {
		next = next.Add(time.Duration(rng.ExpFloat64() / s.Rate * float64(time.Second)))
		if !Sleep(ctx, time.Until(next)) {
			return
		}
		c := s.cast(rng, i)
		select {
		case room <- struct{}{}:
		default:
			s.skipped.Add(1)
			continue
		}
		s.begun.Add(1)
		wg.Go(func() {
			defer func() { <-room }()
			c.play(playing)
		})
	}
}

// cast creates a call with its own random source.
func (s *Stage) cast(rng *rand.Rand, i int) *scene {
	own := rand.New(rand.NewPCG(s.Seed, rng.Uint64())) //nolint:gosec // the same seed plays the same calls
	return &scene{stage: s, rng: own, app: s.Apps[i%len(s.Apps)], id: fmt.Sprintf("c%d", i)}
}

// Sleep waits for d. It returns false if ctx ended first.
func Sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// scene is one call that is played.
type scene struct {
	stage *Stage
	app   string
	id    string

	mu    sync.Mutex // guards the fields below
	rng   *rand.Rand
	count int
}

func (x *scene) draw(n int) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rng.IntN(n)
}

// chance returns true with the given probability.
func (x *scene) chance(percent int) bool { return x.draw(100) < percent }

// users returns different users. Some users are called more often, so that lines are full and invitations
// cross.
func (x *scene) users(n int) []string {
	list, seen := make([]string, 0, n), map[int]bool{}
	among := x.stage.Users
	if x.chance(25) {
		among = max(among/10, 2*n)
	}
	for len(list) < n {
		if u := x.draw(among); !seen[u] {
			seen[u] = true
			list = append(list, fmt.Sprintf("u%d", u))
		}
	}
	return list
}

// command returns a command of this call with a unique id.
func (x *scene) command(verb events.Verb, user string) events.Command {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.count++
	return events.Command{
		CommandAddress: events.CommandAddress{App: x.app, CallID: x.id, Verb: verb},
		CommandID:      fmt.Sprintf("%s-%d-%s", x.id, x.count, verb), UserID: user, CustomData: customData(verb, x.count),
	}
}

func customData(verb events.Verb, n int) string {
	if !verb.Has("custom_data") {
		return ""
	}
	return fmt.Sprintf("data-%d", n)
}

func (x *scene) client() *Client { return x.stage.Clients[x.draw(len(x.stage.Clients))] }

func (x *scene) way() record.Via {
	if x.chance(40) {
		return record.API
	}
	return record.Subject
}

// tries is how often an unanswered command is sent.
const tries = 4

// send sends a command until it is answered. Some commands are sent twice at the same time.
func (x *scene) send(ctx context.Context, cmd events.Command) *events.Answer {
	if x.chance(6) {
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { x.client().ask(ctx, cmd, x.way()) })
	}
	for range tries {
		a := x.client().ask(ctx, cmd, x.way())
		if a != nil && (a.OK || a.Error != nil && a.Error.Code != events.CodeUnavailable) {
			return a
		}
		if !Sleep(ctx, 200*time.Millisecond) {
			break
		}
	}
	return nil
}

// concurrently sends commands at the same time.
func (x *scene) concurrently(ctx context.Context, cmds ...events.Command) {
	var wg sync.WaitGroup
	for _, cmd := range cmds {
		wg.Go(func() { x.send(ctx, cmd) })
	}
	wg.Wait()
}

// pause waits up to ms milliseconds.
func (x *scene) pause(ctx context.Context, ms int) {
	Sleep(ctx, time.Duration(x.draw(ms))*time.Millisecond)
}

// split returns an independent random source for a second call of the scene.
func (x *scene) split() *rand.Rand {
	x.mu.Lock()
	defer x.mu.Unlock()
	return rand.New(rand.NewPCG(x.rng.Uint64(), x.rng.Uint64())) //nolint:gosec // the same seed plays the same calls
}
