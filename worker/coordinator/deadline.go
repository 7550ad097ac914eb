package coordinator

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/micro"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/meter"
)

// latestDeadline is how far ahead a deadline of a request counts.
const latestDeadline = time.Minute

// until gives a context that ends with the deadline of a request, which is in broker time. It has ended if that has passed.
func (a *API) until(ctx context.Context, h micro.Headers) (context.Context, context.CancelFunc, *events.Error) {
	text := h.Get(events.HeaderDeadline)
	if text == "" {
		return ctx, func() {}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ctx, func() {}, events.Errorf(events.CodeInvalidArgument, "%s: must be a time such as 2026-11-24T10:00:07.250Z", events.HeaderDeadline)
	}
	ctx, cancel := context.WithTimeout(ctx, min(at.Sub(a.Clock.Now()), latestDeadline))
	return ctx, cancel, nil
}

// time is the header that carries broker time.
func (a *API) time() micro.Headers {
	return micro.Headers{events.HeaderTime: {events.TimeOf(a.Clock.Now()).String()}}
}

// stalled refuses what may have come while this process stood still: its sender may have given up long ago.
func stalled() (answer any, outcome string) {
	return events.Refusal("", events.Errorf(events.CodeUnavailable, "this worker stood still, the request was not carried out")), meter.RequestStalled
}

// refused gives an answer that is made already.
func refused(answer events.Answer) func() (any, string) {
	return func() (any, string) { return answer, outcomeOf(answer) }
}

// outcomeOf is ok or the code of an answer.
func outcomeOf(answer any) string {
	if x, ok := answer.(events.Answer); ok && x.Error != nil {
		return string(x.Error.Code)
	}
	return meter.RequestOK
}
