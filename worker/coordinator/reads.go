package coordinator

import (
	"context"
	"errors"
	"slices"

	"ringline.io/ringline/events"
)

// get reads a call from the leader, in a service's view.
func (a *API) get(ctx context.Context, app string, body []byte) any {
	callID, bad := events.ReadGet(body)
	if bad != nil {
		return events.Refusal("", bad)
	}
	now, err := a.Calls.Lead(ctx, app, callID)
	switch {
	case err != nil:
		return unavailable(err)
	case now.Seq == 0 || now.Call.EndReason == events.EndFailed:
		return events.Refusal("", events.Errorf(events.CodeNotFound, "call_id: there is no call %s", callID))
	}
	return events.Answer{OK: true, Call: &now.Call}
}

// line lists the calls that a user is in.
func (a *API) line(ctx context.Context, app string, body []byte) any {
	userID, bad := events.ReadLineRequest(body)
	if bad != nil {
		return events.Refusal("", bad)
	}
	calls, err := a.Lines.CallsOf(ctx, app, userID)
	if err != nil {
		return unavailable(err)
	}
	answer := events.LineAnswer{OK: true, Calls: []string{}}
	for _, c := range calls {
		answer.Calls = append(answer.Calls, c.CallID)
	}
	return answer
}

// list gives an app's open calls, the newest first.
func (a *API) list(ctx context.Context, app string, body []byte) any {
	want, bad := events.ReadListRequest(body)
	if bad != nil {
		return events.Refusal("", bad)
	}
	calls, err := a.Lines.OpenCalls(ctx, app)
	if err != nil {
		return unavailable(err)
	}
	a.hasRead(app, len(calls))
	calls = slices.DeleteFunc(calls, func(c events.Call) bool { return want.State != "" && c.State != want.State })
	slices.SortFunc(calls, func(x, y events.Call) int { return int(y.CreatedAt - x.CreatedAt) })
	return events.ListAnswer{OK: true, Calls: fitting(calls[:min(len(calls), want.Limit)])}
}

// fitting gives as many of the calls as go into one message of NATS, whose limit is 1 MiB by default.
func fitting(calls []events.Call) []events.Call {
	const most = 900 << 10
	size := 0
	for i, c := range calls {
		body, err := events.Encode(c)
		if size += len(body); err != nil || size > most {
			return calls[:i]
		}
	}
	return calls
}

// unavailable says that a read failed, and why. What the call is that is stored in a newer format nobody may guess.
func unavailable(err error) events.Answer {
	if newer, ok := errors.AsType[*events.NewerFormatError](err); ok {
		return events.Refusal("", events.Errorf(events.CodeUnavailable,
			"call %s is stored in format %d, and the coordinator that was asked reads up to %d: it has to be upgraded",
			newer.CallID, newer.Format, events.NewestFormat))
	}
	return events.Refusal("", events.Errorf(events.CodeUnavailable, "%v", err))
}
