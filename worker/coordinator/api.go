package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/nats-io/nuid"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/gate"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/stall"
	"ringline.io/ringline/worker/store"
)

// apiVersion is the version of the micro service and of its contract.
const apiVersion = "1.0.0"

// API is the NATS micro service "ringline". It serves requests of people and services.
type API struct {
	NC          *nats.Conn
	Asker       *ask.Asker
	Calls       *store.Calls
	Lines       *store.Lines
	Log         zerolog.Logger
	Secrets     *store.Secrets
	Parallel    int                  // maximum number of concurrent reads; one app may use half of them
	Slots       func(app string) int // maximum number of requests of an app in flight; nil: the default of apps without a setting
	Fair        *Fair                // quotas of apps, to refuse early what coordinators would refuse; may be nil
	InboxPrefix string               // replies go only to subjects below it
	Meter       *meter.Meter         // may be nil
	Health      *health.Condition    // OK while the subscription is active; may be nil
	Clock       *clock.Clock         // broker time; may be nil
	Stall       *stall.Watch         // watches this process; may be nil

	Present func(app, userID, deviceID string, until time.Time) error // informs the edges that a device is in a call

	count *meter.Requests
}

// maxUnderWay is the maximum number of requests in flight. Most of them wait for the answer of a coordinator.
const maxUnderWay = 4096

// handOver is how long delivered requests may take to reach the handler after the API has stopped.
const handOver = 5 * time.Second

// Run serves requests until ctx ends, and then answers the requests in flight.
func (a *API) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	a.count = a.Meter.Requests()
	others := a.NC.NumSubscriptions()
	room, slots, reads := make(chan struct{}, maxUnderWay), newSlots(), gate.New(a.Parallel/2, max(a.Parallel, 1))
	service, err := micro.AddService(a.NC, micro.Config{
		Name: "ringline", Version: apiVersion,
		Description: "Call invitations. Requests go to ringline.<app>.api.<verb>.",
		Endpoint: &micro.EndpointConfig{
			Subject: events.APISubject("*", "*"),
			Handler: micro.HandlerFunc(func(r micro.Request) {
				came := a.Stall.Now()
				if a.Stall.Stalled() {
					a.serve(r, stalled)
					return
				}
				app, _, _ := events.ParseAPISubject(r.Subject())
				most := a.slotsOf(app)
				if !slots.take(app, most) {
					a.serve(r, refused(tooManyOf(app, most)))
					return
				}
				select {
				case room <- struct{}{}:
					go func() {
						defer func() { <-room; slots.free(app) }()
						a.serve(r, func() (any, string) { return a.reply(work, r, reads, came) })
					}()
				default: // never block here, because all requests pass this handler
					slots.free(app)
					a.serve(r, refused(events.Refusal("", events.Errorf(events.CodeUnavailable, "more than %d requests are in flight", maxUnderWay))))
				}
			}),
			Metadata: map[string]string{"verbs": apiMethods()},
		},
	})
	if err != nil {
		return fmt.Errorf("coordinator: start the api: %w", err)
	}
	own := a.NC.NumSubscriptions() - others
	if known(ctx, a.NC) {
		a.Health.OK()
	}
	<-ctx.Done()
	others = a.NC.NumSubscriptions() - own
	err = service.Stop()
	for end := time.Now().Add(handOver); a.NC.NumSubscriptions() > others && a.NC.IsConnected() && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond) // while it drains, delivered requests still reach the handler; micro offers no way to wait for that
	}
	for range cap(room) { // wait for the requests in flight
		room <- struct{}{}
	}
	return err
}

// known waits until the server knows the subscriptions of this connection. It returns false once ctx has ended.
func known(ctx context.Context, nc *nats.Conn) bool {
	const once, again = time.Second, 100 * time.Millisecond
	for ctx.Err() == nil {
		if nc.FlushTimeout(once) == nil {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
	return false
}

// Methods that only read. They are not verbs.
const (
	methodGet  = "get"
	methodLine = "line"
	methodList = "list"
)

// methodPresent renews the presence of a device.
const methodPresent = "present"

func apiMethods() string {
	list := []string{}
	for _, v := range events.Verbs() {
		if v.Served() {
			list = append(list, string(v))
		}
	}
	return strings.Join(append(list, methodGet, methodLine, methodList, methodPresent), ", ")
}

// serve answers and counts one request. It drops a request whose reply subject is not an inbox.
func (a *API) serve(r micro.Request, reply func() (answer any, outcome string)) {
	_, method, _ := events.ParseAPISubject(r.Subject())
	if !strings.HasPrefix(r.Reply(), a.InboxPrefix+".") {
		a.count.Done(method, meter.RequestNoReply)
		a.Log.Warn().Str("subject", r.Subject()).Msg("reply subject is not an inbox, request dropped")
		return
	}
	var answer any
	var outcome string
	err := broker.RunAll(func() error { answer, outcome = reply(); return nil })
	if err != nil {
		answer, outcome = events.Refusal("", err), string(events.CodeInternal)
	}
	body, encodeErr := events.Encode(answer)
	if err = errors.Join(err, encodeErr); encodeErr == nil {
		err = errors.Join(err, r.Respond(body, micro.WithHeaders(a.time())))
	}
	if errors.Is(err, micro.ErrRespond) || encodeErr != nil {
		outcome = meter.RequestNoReply
	}
	a.count.Done(method, outcome)
	if err != nil {
		a.Log.Error().Err(err).Str("subject", r.Subject()).Msg("request failed")
	}
}

// reply returns the answer and its outcome.
func (a *API) reply(ctx context.Context, r micro.Request, reads *gate.Gate, came time.Time) (answer any, outcome string) {
	ctx, cancel, bad := a.until(ctx, r.Headers())
	defer cancel()
	switch {
	case bad != nil:
		answer = events.Refusal("", bad)
	case ctx.Err() != nil:
		return events.Refusal("", events.Errorf(events.CodeUnavailable, "%s has passed, the request was not executed", events.HeaderDeadline)),
			meter.RequestLate
	case a.Stall.Since(came):
		return stalled()
	default:
		answer = a.answer(ctx, r, reads)
	}
	return answer, outcomeOf(answer)
}

// answer returns an events.Answer for a verb and for get. The other reads have their own types.
func (a *API) answer(ctx context.Context, r micro.Request, reads *gate.Gate) any {
	app, method, ok := events.ParseAPISubject(r.Subject())
	verb := events.Verb(method)
	read := a.reader(method)
	switch {
	case !ok:
		return events.Refusal("", events.Errorf(events.CodeInvalidArgument,
			"subject: must be ringline.<app>.api.<verb>, app 1 to %d characters of A-Z a-z 0-9 _ -", events.MaxToken))
	case verb.Served():
		return a.command(ctx, app, verb, r.Data())
	case method == methodPresent:
		return a.present(app, r.Data())
	case verb.Internal():
		return events.Refusal("", events.Errorf(events.CodePermissionDenied, "verb: %s is not allowed, only Ringline itself sends it", verb))
	case read == nil:
		return events.Refusal("", events.Errorf(events.CodeInvalidArgument, "verb: must be one of %s, got %q", apiMethods(), method))
	}
	if refusal := a.mayRead(app, method); refusal != nil {
		return events.Refusal("", refusal)
	}
	leave, err := reads.Enter(ctx, app)
	if err != nil {
		return events.Refusal("", events.Errorf(events.CodeUnavailable, "the request timed out behind other reads"))
	}
	defer leave()
	return read(ctx, app, r.Data())
}

// reader returns the handler of a method that reads, or nil if there is none.
func (a *API) reader(method string) func(ctx context.Context, app string, data []byte) any {
	switch method {
	case methodGet:
		return a.get
	case methodLine:
		return a.line
	case methodList:
		return a.list
	}
	return nil
}

// present informs the edges that a device is in a call. It reads nothing: edges look at the calls of a device before they drop
// a party. The quota counts it as a read.
func (a *API) present(app string, data []byte) any {
	r, err := events.ReadPresent(data)
	if err == nil {
		err = a.mayRead(app, methodPresent)
	}
	if err != nil {
		return events.Refusal("", err)
	}
	until := a.Clock.Now().Add(events.PresentFor)
	if err := a.Present(app, r.UserID, r.DeviceID, until); err != nil {
		return events.Refusal("", events.Errorf(events.CodeUnavailable, "the edges could not be informed: %v", err))
	}
	return events.PresentAnswer{OK: true, PresentUntil: events.TimeOf(until)}
}

// command publishes a command that coordinators would not refuse, and waits for its answer.
func (a *API) command(ctx context.Context, app string, verb events.Verb, body []byte) events.Answer {
	cmd, bad := events.ReadRequest(app, verb, body, nuid.Next)
	if bad != nil {
		return events.Refusal(cmd.CommandID, bad)
	}
	if cmd.CallID == "" {
		secret, err := a.Secrets.CallIDs(ctx, app)
		if err != nil {
			return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable, "call_id: can't be derived, nothing was stored: %v", err))
		}
		cmd.CallID = events.DeriveCallID(secret, app, cmd.UserID, cmd.CommandID)
	}
	if bad = a.room(ctx, cmd, len(body)); bad != nil {
		return events.Refusal(cmd.CommandID, bad)
	}
	answer := a.Asker.Ask(ctx, cmd)
	if a.Fair != nil {
		a.Fair.Quotas.Answered(a.Clock.Now(), a.Fair.Limits(app), cmd, answer)
	}
	return answer
}
