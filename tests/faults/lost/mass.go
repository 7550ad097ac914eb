//go:build linux

package lost

import (
	"context"
	"fmt"
)

// Crowd are users in calls whose sessions end together.
type Crowd struct {
	town    *Town
	callers []*phone
}

// Gather makes that many active calls, with the callers on one edge and the callees on another.
func (t *Town) Gather(ctx context.Context, calls int) (*Crowd, error) {
	c := &Crowd{town: t}
	for i := range calls {
		user := fmt.Sprintf("m%d", i)
		c.callers = append(c.callers, t.phone(user))
		_, err := t.phone(user+"-callee").connect(ctx, t.edge(1))
		if err == nil {
			err = t.talk(ctx, user, user, user+"-callee")
		}
		if err != nil {
			return nil, err
		}
	}
	return c, c.Connect(ctx)
}

// Connect opens a session of each caller.
func (c *Crowd) Connect(ctx context.Context) error {
	for _, p := range c.callers {
		if _, err := p.connect(ctx, c.town.edge(0)); err != nil {
			return err
		}
	}
	return nil
}

// Leave ends these sessions.
func (c *Crowd) Leave() {
	for _, p := range c.callers {
		p.leave()
	}
}
