// Package gate lets every app do only so many things at once, so that one that does many does not keep the others waiting.
package gate

import (
	"context"
	"sync"
)

// Gate is what every app passes.
type Gate struct {
	each int
	all  chan struct{} // nil: apps are only bounded one by one

	mu   sync.Mutex
	apps map[string]*app
}

// app is what one app does.
type app struct {
	room  chan struct{}
	count int // under way or waiting
}

// New makes a gate that lets each app do so many things at once, and all of them together so many; 0 for any number.
func New(each, all int) *Gate {
	g := &Gate{each: max(each, 1), apps: map[string]*app{}}
	if all > 0 {
		g.all = make(chan struct{}, all)
	}
	return g
}

// Enter waits until the app may do one more thing, or until ctx ends. Call leave once, when it is done.
func (g *Gate) Enter(ctx context.Context, name string) (leave func(), err error) {
	g.mu.Lock()
	a := g.apps[name]
	if a == nil {
		a = &app{room: make(chan struct{}, g.each)}
		g.apps[name] = a
	}
	a.count++
	g.mu.Unlock()
	select {
	case a.room <- struct{}{}:
	case <-ctx.Done():
		g.gone(name, a)
		return nil, ctx.Err()
	}
	if g.all == nil {
		return func() { <-a.room; g.gone(name, a) }, nil
	}
	select {
	case g.all <- struct{}{}:
	case <-ctx.Done():
		<-a.room
		g.gone(name, a)
		return nil, ctx.Err()
	}
	return func() { <-g.all; <-a.room; g.gone(name, a) }, nil
}

// gone forgets an app that does nothing.
func (g *Gate) gone(name string, a *app) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.count--; a.count == 0 {
		delete(g.apps, name)
	}
}
