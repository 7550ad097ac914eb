// Package gate limits how many operations each app runs at once, so that a busy app does not delay the others.
package gate

import (
	"context"
	"sync"
)

// Gate limits the operations of each app, and of all apps together.
type Gate struct {
	each int
	all  chan struct{} // nil: no limit for all apps together

	mu   sync.Mutex
	apps map[string]*app
}

// app counts the operations of one app.
type app struct {
	room  chan struct{}
	count int // running or waiting
}

// New makes a gate that lets each app run `each` operations at once, and all apps together `all`. If all is 0, only the
// limit of each app applies.
func New(each, all int) *Gate {
	g := &Gate{each: max(each, 1), apps: map[string]*app{}}
	if all > 0 {
		g.all = make(chan struct{}, all)
	}
	return g
}

// Enter waits until the app may run one more operation, or until ctx ends. Call leave exactly once, at the end of the
// operation.
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
	if ctx.Err() != nil { // both at once
		<-a.room
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

// gone removes one operation, and forgets an app that has none.
func (g *Gate) gone(name string, a *app) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.count--; a.count == 0 {
		delete(g.apps, name)
	}
}
