package abuse

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"ringline.io/ringline/tests/faults/play"
)

// Counts are the outcomes, by kind.
type Counts map[string]map[string]int

func (c Counts) add(more Counts) {
	for kind, outcomes := range more {
		if c[kind] == nil {
			c[kind] = map[string]int{}
		}
		for what, n := range outcomes {
			c[kind][what] += n
		}
	}
}

// Attack configures a process of misbehaving clients. The process receives it as JSON.
type Attack struct {
	Target Target        `json:"target"`
	Kinds  []string      `json:"kinds"`
	For    time.Duration `json:"for_ns"`
}

// Serve reads an attack, runs it and writes the counts. It stops early when the input ends, because the
// parent process is gone then.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	var a Attack
	commands := json.NewDecoder(in)
	if err := commands.Decode(&a); err != nil {
		return fmt.Errorf("abuse: read the plan: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, in) // only the end of the input matters
	}()
	b := &book{counts: Counts{}}
	if !b.run(ctx, a) {
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return json.NewEncoder(out).Encode(b.counts)
}

// book counts outcomes.
type book struct {
	mu     sync.Mutex
	counts Counts
}

func (b *book) add(kind, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.add(Counts{kind: {what: 1}})
}

// run runs attacks of these kinds for the given time, and waits until every attempt has its outcome. It
// returns false if ctx ended first.
func (b *book) run(ctx context.Context, a Attack) bool {
	attacking, cancel := context.WithTimeout(ctx, a.For)
	defer cancel()
	var wg sync.WaitGroup
	for i, k := range kinds() {
		if slices.Contains(a.Kinds, k.name) {
			from := fmt.Sprintf("127.0.1.%d", i+1)
			wg.Go(func() { k.keep(attacking, a.Target, from, func(what string) { b.add(k.name, what) }) })
		}
	}
	for i, f := range floods() {
		if slices.Contains(a.Kinds, f.name) {
			from := fmt.Sprintf("127.0.2.%d", i+1)
			wg.Go(func() { f.run(attacking, a.Target, from, func(what string) { b.add(f.name, what) }) })
		}
	}
	done := make(chan struct{})
	go func() { defer close(done); wg.Wait() }()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// keep makes attempts until ctx ends, and waits for the attempts that have begun.
func (k kind) keep(ctx context.Context, t Target, from string, out func(string)) {
	parallel := 4
	if k.alone {
		parallel = 1
	}
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			k.once(context.WithoutCancel(ctx), t, from, out)
		})
		play.Sleep(ctx, k.every)
	}
}
