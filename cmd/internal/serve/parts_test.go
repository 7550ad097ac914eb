package serve

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

func TestRunParts(t *testing.T) {
	t.Parallel()
	until := func(ctx context.Context) error { <-ctx.Done(); return nil }
	broken := errors.New("broken")
	err := RunParts(t.Context(), []Part{
		{"good", until},
		{"bad", func(context.Context) error { return broken }},
		{"last words", func(ctx context.Context) error { <-ctx.Done(); return errors.New("not drained") }},
	})
	if !errors.Is(err, broken) || err.Error() != "bad: broken\nlast words: not drained" {
		t.Errorf("one that fails stops all: %v", err)
	}
	err = RunParts(t.Context(), []Part{{"good", until}, {"early", func(context.Context) error { return nil }}})
	if err == nil || err.Error() != "early: ended by itself" {
		t.Errorf("a function ended by itself: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := RunParts(ctx, []Part{{"good", until}}); err != nil {
		t.Errorf("stopped from outside: %v", err)
	}
}

func TestBehind(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ended []string
	until := func(name string) Part {
		return Part{name, func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, name)
			return nil
		}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		ended = nil
		if err := runBehind(ctx, []Part{until("front"), until("front")}, []Part{until("back")}); err != nil {
			t.Errorf("stopped from outside: %v", err)
		}
		if !slices.Equal(ended, []string{"front", "front", "back"}) {
			t.Errorf("they ended in the order %v", ended)
		}
	}
	if err := runBehind(ctx, nil, []Part{until("back")}); err != nil {
		t.Errorf("nothing in front: %v", err)
	}
	broken := Part{"bad", func(context.Context) error { return errors.New("broken") }}
	for _, list := range [][2][]Part{{{until("front"), broken}, {until("back")}}, {{until("front")}, {until("back"), broken}}, {nil, {broken}}} {
		if err := runBehind(t.Context(), list[0], list[1]); err == nil || err.Error() != "bad: broken" {
			t.Errorf("one that fails stops all: %v", err)
		}
	}
}
