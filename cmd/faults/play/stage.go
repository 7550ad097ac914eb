package play

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"ringline.io/ringline/cmd/faults/record"
	"ringline.io/ringline/events"
)

// Stage is where calls are played.
type Stage struct {
	Clients []*Client
	Apps    []string
	Users   int     // of each app
	Rate    float64 // calls a second that are begun
	Seed    uint64
	Only    []string // the scenes that are played; none: all
	RingS   int      // how long most calls ring at most
	Most    int      // calls that are played at once; beyond that none is begun

	begun, skipped atomic.Int64
}

// Begun counts the calls that were begun, and those that were not, as too many were under way.
func (s *Stage) Begun() (begun, skipped int64) { return s.begun.Load(), s.skipped.Load() }

// Play begins calls until ctx ends, and gives once all of them have been played, or have had their time.
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

// cast makes a call with its parts; everything that it will draw comes from a source of its own.
func (s *Stage) cast(rng *rand.Rand, i int) *scene {
	own := rand.New(rand.NewPCG(s.Seed, rng.Uint64())) //nolint:gosec // the same seed plays the same calls
	return &scene{stage: s, rng: own, app: s.Apps[i%len(s.Apps)], id: fmt.Sprintf("c%d", i)}
}

// Sleep is false if ctx ended meanwhile.
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

// scene is one call as it is played, and whom with.
type scene struct {
	stage *Stage
	app   string
	id    string

	mu    sync.Mutex // of what follows
	rng   *rand.Rand
	count int
}

func (x *scene) draw(n int) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rng.IntN(n)
}

// chance is true in so many of a hundred cases.
func (x *scene) chance(percent int) bool { return x.draw(100) < percent }

// users gives different users. Some are called more than others, so that lines are full and invitations cross.
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

// command makes a command of this call with an id of its own.
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
	if verb == events.VerbRing {
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

// tries is how often a command is sent that is not answered.
const tries = 4

// send sends a command until it is answered, some of them twice at once.
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

// together sends commands beside each other, each from a device of its own.
func (x *scene) together(ctx context.Context, cmds ...events.Command) {
	var wg sync.WaitGroup
	for _, cmd := range cmds {
		wg.Go(func() { x.send(ctx, cmd) })
	}
	wg.Wait()
}

// pause waits for up to so many milliseconds.
func (x *scene) pause(ctx context.Context, ms int) {
	Sleep(ctx, time.Duration(x.draw(ms))*time.Millisecond)
}

// split gives a source of its own to a second call of the scene.
func (x *scene) split() *rand.Rand {
	x.mu.Lock()
	defer x.mu.Unlock()
	return rand.New(rand.NewPCG(x.rng.Uint64(), x.rng.Uint64())) //nolint:gosec // the same seed plays the same calls
}
