package abuse

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/play"
)

// deluge is one way in which the users or the backend of an app send too much. It runs until ctx ends.
type deluge struct {
	name string
	run  func(ctx context.Context, t Target, from string, out func(string))
}

// Floods that Share treats differently from the others.
const (
	spinning  = "nothing but a busy processor"
	oneUser   = "one user invites 50 and cancels, with 4 KB of data"
	manyUsers = "20 users invite 50 and cancel, with 4 KB of data"
)

func floods() []deluge {
	users := func(n, sessions int, each func(context.Context, *person, func(string))) func(context.Context, Target, string, func(string)) {
		return func(ctx context.Context, t Target, from string, out func(string)) {
			allUsers(ctx, t, from, n*sessions, n, each, out)
		}
	}
	return []deluge{
		{spinning, spin},
		{oneUser, users(1, 4, invitesAndCancels)},
		{"20 users cancel unknown calls", users(20, 1, cancelsUnknown)},
		{"150 users cancel unknown calls", users(150, 1, cancelsUnknown)},
		{"150 users cancel ids of the backend", users(150, 1, cancelsBackends)},
		{manyUsers, users(20, 1, invitesAndCancels)},
		{"20 users connect and go", connects},
		{"2,000 api.end a second, of unknown calls", requests(2000, events.VerbEnd, func(int) string {
			return fmt.Sprintf(`{"call_id":%q,"service":"desk"}`, nuid.Next())
		})},
		{"500 api.invite a second, of 50 with 4 KB of data", requests(500, events.VerbInvite, func(n int) string {
			return fmt.Sprintf(`{"user_id":"b%d","call_type":0,"ring_timeout_s":1,%s}`, n, fifty(fmt.Sprint(n)))
		})},
		{"500 api.list a second", requests(500, "list", func(int) string { return `{}` })},
	}
}

// fifty returns the largest callees and custom data that an invitation may have.
func fifty(of string) string {
	var list []string
	for i := range events.MaxCallees {
		list = append(list, fmt.Sprintf(`{"user_id":"c%s-%d"}`, of, i))
	}
	return fmt.Sprintf(`"custom_data":%q,"callees":[%s]`, strings.Repeat("x", events.MaxCustomData), strings.Join(list, ","))
}

// spin keeps every core busy.
func spin(ctx context.Context, _ Target, _ string, out func(string)) {
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				for range 1_000_000 {
					n++
				}
			}
		})
	}
	wg.Wait()
	out("over")
}

// allUsers opens sessions and runs each on them. It reopens sessions that are closed.
func allUsers(ctx context.Context, t Target, from string, sessions, users int, each func(context.Context, *person, func(string)), out func(string)) {
	var wg sync.WaitGroup
	for i := range sessions {
		wg.Go(func() {
			for play.Sleep(ctx, 50*time.Millisecond) {
				user := fmt.Sprintf("mallory%d", i%users)
				p, err := enterFrom(ctx, t.Server, from, t.Other, user)
				if err != nil {
					out("refused: " + outcome(err))
					play.Sleep(ctx, time.Second)
					continue
				}
				each(ctx, p, out)
				p.d.Socket.Reset()
			}
		})
	}
	wg.Wait()
}

func enterFrom(ctx context.Context, server, from string, app device.App, user string) (*person, error) {
	raw, err := app.Token(user, "")
	if err != nil {
		return nil, err
	}
	d, _, err := device.Connect(ctx, device.Hello{Server: server, From: from, Token: raw}, nil)
	if err != nil {
		return nil, err
	}
	p := &person{user: user, d: d}
	go func() { _ = d.Run(func([]byte) {}) }()
	return p, nil
}

// flows sends commands in parallel, at the maximum rate of a user, until ctx or the session ends.
func (p *person) flows(ctx context.Context, out func(string), method string, body func() string) {
	const parallel, every = 8, 200 * time.Millisecond // 40 a second
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			defer stop()
			for play.Sleep(ctx, every) {
				a, err := p.d.Ask(ctx, method, []byte(body()))
				if err != nil {
					return
				}
				out(method + " " + codeOf(a))
			}
		})
	}
	wg.Wait()
}

func codeOf(a events.Answer) string {
	if a.Error == nil {
		return "ok"
	}
	return string(a.Error.Code)
}

func cancelsUnknown(ctx context.Context, p *person, out func(string)) {
	p.flows(ctx, out, "cancel", func() string { return fmt.Sprintf(`{"call_id":%q}`, nuid.Next()) })
}

func cancelsBackends(ctx context.Context, p *person, out func(string)) {
	p.flows(ctx, out, "cancel", func() string { return fmt.Sprintf(`{"call_id":"s_%s"}`, nuid.Next()) })
}

// invitesAndCancels makes transitions of the largest size and at the highest rate that a user can.
func invitesAndCancels(ctx context.Context, p *person, out func(string)) {
	for n := 0; play.Sleep(ctx, 100*time.Millisecond); n++ {
		id := nuid.Next()
		a, err := p.d.Ask(ctx, "invite", fmt.Appendf(nil, `{"call_id":%q,"call_type":0,%s}`, id, fifty(p.user+"-"+id)))
		if err != nil {
			return
		}
		out("invite " + codeOf(a))
		data := strings.Repeat("x", events.MaxCustomData)
		for i := range events.MaxCallees {
			if a.Error != nil || ctx.Err() != nil {
				break
			}
			one, err := p.d.Ask(ctx, "cancel", fmt.Appendf(nil, `{"call_id":%q,"custom_data":%q,"callees":["c%s-%s-%d"]}`, id, data, p.user, id, i))
			if err != nil {
				return
			}
			out("cancel " + codeOf(one))
		}
		if a.Error == nil {
			_, _ = p.d.Ask(ctx, "leave", fmt.Appendf(nil, `{"call_id":%q}`, id))
		}
	}
}

// connects opens and closes sessions of 20 users.
func connects(ctx context.Context, t Target, from string, out func(string)) {
	allUsers(ctx, t, from, 20, 20, func(context.Context, *person, func(string)) { out("admitted") }, out)
}

// requests sends API requests at a fixed rate, without waiting for the answers.
func requests(perSecond int, method events.Verb, body func(n int) string) func(context.Context, Target, string, func(string)) {
	return func(ctx context.Context, t Target, _ string, out func(string)) {
		nc, err := nats.Connect(t.NATS)
		if err != nil {
			out(err.Error())
			return
		}
		defer nc.Close()
		inbox := nats.NewInbox()
		if _, err := nc.Subscribe(inbox, func(m *nats.Msg) {
			var a events.Answer
			if json.Unmarshal(m.Data, &a) == nil {
				out(string(method) + " " + codeOf(a))
			}
		}); err != nil {
			out(err.Error())
			return
		}
		const every = 10 * time.Millisecond
		for n := 0; play.Sleep(ctx, every); {
			for range perSecond / int(time.Second/every) {
				n++
				if err := nc.PublishRequest(events.APISubject(t.Other.Name, string(method)), inbox, []byte(body(n))); err != nil {
					out(err.Error())
				}
			}
		}
		play.Sleep(context.WithoutCancel(ctx), time.Second) // wait for the last answers
	}
}
