package coordinator

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/micro"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/meter"
)

// latestDeadline is how far ahead the deadline of a request may be. A later one counts as this.
const latestDeadline = time.Minute

// until returns a context that ends at the deadline of a request. The deadline is in broker time. If it has passed, the context
// has already ended.
func (a *API) until(ctx context.Context, h micro.Headers) (context.Context, context.CancelFunc, error) {
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

// time returns the header with the broker time.
func (a *API) time() micro.Headers {
	return micro.Headers{events.HeaderTime: {events.TimeOf(a.Clock.Now()).String()}}
}

// stalled refuses a request that may have arrived while this process was stalled. Its sender may have given up.
func stalled() (answer any, outcome string) {
	return events.Refusal("", events.Errorf(events.CodeUnavailable, "this worker was paused, the request was not executed")), meter.RequestStalled
}

// refused returns a reply function for this answer.
func refused(answer events.Answer) func() (any, string) {
	return func() (any, string) { return answer, outcomeOf(answer) }
}

// outcomeOf returns the error code of an answer, or ok.
func outcomeOf(answer any) string {
	if x, ok := answer.(events.Answer); ok && x.Error != nil {
		return string(x.Error.Code)
	}
	return meter.RequestOK
}
