//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
	"ringline.io/ringline/worker/streams"
)

// onWorker runs do on one worker, and repairs the worker's links afterward.
func (b *breaker) onWorker(do func(ctx context.Context, f fault, w *rig.Worker) (note string, err error)) act {
	return func(ctx context.Context, f fault) (target, note string, err error) {
		among := b.rig.Workers()
		if f.kind.waits() { // only coordinators publish the messages that these faults wait for
			among = b.rig.Coordinators
		}
		w := among[f.target%len(among)]
		if !b.busy[w].TryLock() {
			return "", "", nil
		}
		defer b.busy[w].Unlock()
		defer mend(w)
		if note, err = do(ctx, f, w); note == nothing {
			return "", "", err
		}
		return w.Name, note, err
	}
}

// nothing is the note of a fault that was not possible.
const nothing = "nothing"

func mend(w *rig.Worker) {
	for _, l := range w.Links {
		l.Mend()
	}
}

// spoilt degrades the link to one of the brokers for a while.
func spoilt(s spoil) func(context.Context, fault, *rig.Worker) (string, error) {
	return func(ctx context.Context, f fault, w *rig.Worker) (string, error) {
		s(f, w.Links[f.second%len(w.Links)])
		play.Sleep(ctx, f.long)
		return "", nil
	}
}

func (b *breaker) kill(ctx context.Context, f fault, w *rig.Worker) (string, error) {
	w.Kill()
	play.Sleep(ctx, f.long)
	return "", w.Start()
}

func (b *breaker) killAt(ctx context.Context, f fault, w *rig.Worker) (string, error) {
	note := b.await(ctx, f, w)
	w.Kill()
	for _, l := range w.Links {
		l.Reset() // data after the message does not get through
	}
	mend(w)
	play.Sleep(ctx, f.long)
	return note, w.Start()
}

func (b *breaker) restart(ctx context.Context, f fault, w *rig.Worker) (string, error) {
	took, drained := w.Stop(drains)
	if !drained {
		b.failed(fmt.Errorf("%s had not drained after %v", w.Name, drains))
	}
	play.Sleep(ctx, f.long)
	return took.Round(time.Millisecond).String(), w.Start()
}

// wrongClock runs the worker for a while with a wall clock that is 70 s ahead or behind.
func (b *breaker) wrongClock(ctx context.Context, f fault, w *rig.Worker) (string, error) {
	program := rig.Ahead
	if f.second%2 == 0 {
		program = rig.Behind
	}
	for _, use := range []string{program, rig.Right} {
		if _, drained := w.Stop(drains); !drained {
			b.failed(fmt.Errorf("%s had not drained after %v", w.Name, drains))
		}
		w.Use(use)
		if err := w.Start(); err != nil {
			return program, err
		}
		if use == program {
			play.Sleep(ctx, f.long)
		}
	}
	return program, nil
}

// drains is the time limit for a worker to drain, whatever else is broken.
const drains = time.Minute

func (b *breaker) pause(ctx context.Context, f fault, w *rig.Worker) (string, error) {
	w.Pause()
	play.Sleep(ctx, f.long)
	w.Continue()
	return "", nil
}

func (b *breaker) pauseAt(ctx context.Context, f fault, w *rig.Worker) (string, error) {
	note := b.await(ctx, f, w)
	_, err := b.pause(ctx, f, w)
	return note, err
}

func (b *breaker) cutAt(ctx context.Context, f fault, w *rig.Worker) (string, error) {
	note := b.await(ctx, f, w)
	if strings.HasSuffix(note, didNotCome) {
		return nothing, nil // nothing was cut
	}
	play.Sleep(ctx, f.long)
	return note, nil
}

func (b *breaker) reset(_ context.Context, _ fault, w *rig.Worker) (string, error) {
	for _, l := range w.Links {
		l.Reset()
	}
	return "", nil
}

// awaited is the time limit for a message to appear.
const awaited = 5 * time.Second

// didNotCome ends the note of a fault whose message did not appear in time.
const didNotCome = ", which did not come"

// await stops the worker's traffic exactly at the point.
func (b *breaker) await(ctx context.Context, f fault, w *rig.Worker) (note string) {
	when, name, _ := strings.Cut(f.point, " ")
	match := points()[name]
	triggered := make(chan struct{}, len(w.Links))
	for _, l := range w.Links {
		t := l.SetTrap(match, when == "after")
		go func() {
			select {
			case <-t.Sprung:
				triggered <- struct{}{}
			case <-time.After(2 * awaited):
			}
		}()
	}
	select {
	case <-triggered:
		return f.point
	case <-ctx.Done():
	case <-time.After(awaited):
	}
	return f.point + didNotCome
}

// killAll kills every worker that no other fault holds.
func (b *breaker) killAll(ctx context.Context, f fault) (target, note string, err error) {
	var held []*rig.Worker
	var names []string
	for _, w := range b.rig.Workers() {
		if b.busy[w].TryLock() {
			defer b.busy[w].Unlock()
			held, names = append(held, w), append(names, w.Name)
			w.Kill()
		}
	}
	play.Sleep(ctx, f.long)
	for _, w := range held {
		if err := w.Start(); err != nil {
			return "all", "", err
		}
	}
	return strings.Join(names, ","), "", nil
}

func (b *breaker) deleteConsumer(ctx context.Context, f fault) (target, note string, err error) {
	stream, consumer := streams.StreamCommands, streams.ConsumerCoordinators
	if f.target%3 == 0 {
		stream, consumer = streams.StreamTimers, streams.ConsumerTimeouts
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := b.js.DeleteConsumer(ctx, stream, consumer); err != nil {
		return "", "", nil // a broker may be down, or the consumer is already deleted
	}
	return consumer, "", nil
}
