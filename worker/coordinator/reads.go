package coordinator

import (
	"context"
	"errors"
	"slices"

	"ringline.io/ringline/events"
)

// get reads a call from the leader. The answer contains what a service may see.
func (a *API) get(ctx context.Context, app string, body []byte) any {
	callID, bad := events.ReadGet(body)
	if bad != nil {
		return events.Refusal("", bad)
	}
	now, err := a.Calls.LoadFromLeader(ctx, app, callID)
	switch {
	case err != nil:
		return unavailable(err)
	case now.Seq == 0 || now.Call.EndReason == events.EndFailed:
		return events.Refusal("", events.Errorf(events.CodeNotFound, "call_id: there is no call %s", callID))
	}
	return events.Answer{OK: true, Call: &now.Call}
}

// line lists the calls of a user.
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

// list returns the open calls of an app, the newest first.
func (a *API) list(ctx context.Context, app string, body []byte) any {
	want, bad := events.ReadListRequest(body)
	if bad != nil {
		return events.Refusal("", bad)
	}
	calls, reads, err := a.Lines.OpenCalls(ctx, app)
	a.hasRead(app, reads)
	if err != nil {
		return unavailable(err)
	}
	calls = slices.DeleteFunc(calls, func(c events.Call) bool { return want.State != "" && c.State != want.State })
	slices.SortFunc(calls, func(x, y events.Call) int { return int(y.CreatedAt - x.CreatedAt) })
	return events.ListAnswer{OK: true, Calls: fitting(calls[:min(len(calls), want.Limit)])}
}

// fitting returns the first calls, as many as fit into one NATS message. The default limit of a message is 1 MiB.
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

// unavailable returns the answer for a failed read. A call in a newer format is not guessed.
func unavailable(err error) events.Answer {
	if newer, ok := errors.AsType[*events.NewerFormatError](err); ok {
		return events.Refusal("", events.Errorf(events.CodeUnavailable,
			"call %s is stored in format %d, and the coordinator that received the request reads up to %d: upgrade it",
			newer.CallID, newer.Format, events.NewestFormat))
	}
	return events.Refusal("", events.Errorf(events.CodeUnavailable, "%v", err))
}
